const SURNAMES = new Set(
  '赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫经房裘缪干解应宗丁宣邓郁单杭洪包诸左石崔吉钮龚程嵇邢滑裴陆荣翁荀羊惠甄曲家封芮羿储靳段富巫乌焦巴弓牧山谷车侯宓蓬全班仰秋仲伊宫宁仇栾暴甘厉戎祖武符刘景詹束龙叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索赖卓蔺屠蒙池乔阴能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍桑桂牛寿通边扈燕冀郏浦尚农温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终居衡步都耿满弘匡国文寇广禄阙东欧殳沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶空曾毋沙乜养鞠须丰巢关蒯相查后荆红游竺权逯盖益桓公万俟岳帅缑亢况郈有琴归海晋楚闫法汝鄢涂钦仝肖覃代付涂买',
);
const COMPOUND =
  /^(欧阳|司马|上官|诸葛|皇甫|尉迟|公孙|慕容|令狐|夏侯|东方|司徒|宇文|长孙|端木|独孤|南宫|百里|西门|呼延|澹台|公冶|宗政|濮阳|淳于|单于|申屠|轩辕|钟离|鲜于|司寇|赫连|拓跋|万俟|闻人|东郭|南门|东门|梁丘|左丘|第五|乐正|公良|段干)/;

/** Could these characters be a person's name: a surname and one or two more, or a name with a middle dot? */
export function looksLikeName(text: string): boolean {
  if (/^\p{Script=Han}{1,8}(?:·\p{Script=Han}{1,8})+$/u.test(text)) return true;
  if (!/^\p{Script=Han}{2,4}$/u.test(text)) return false;
  if (COMPOUND.test(text)) return text.length >= 3;
  return text.length <= 3 && SURNAMES.has(text[0] ?? '');
}
