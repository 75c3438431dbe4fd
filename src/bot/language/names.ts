import type { Names } from '../grammar.js';

const SINGLE =
  '王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉饶刁瞿戚丘古米池滕佟言蒙褚娄应臧麻栾喻牧商闻屠仇冷苟郎艾佘皮井敖谈全支巩楚明卓冀窦鞠晏原宗嵇';
const DOUBLE = [
  '欧阳',
  '司马',
  '上官',
  '诸葛',
  '东方',
  '皇甫',
  '尉迟',
  '公孙',
  '慕容',
  '令狐',
  '司徒',
  '长孙',
  '宇文',
  '端木',
  '夏侯',
  '轩辕',
  '南宫',
  '独孤',
  '闻人',
  '第五',
];
/** Words that look like a surname with a given name but are none. */
const NOT_NAMES =
  /^(?:今天|明天|昨天|前天|后天|明早|明晚|时间|时候|地点|地址|任务|任何|安全|安排|安装|方便|方法|高兴|马上|周[一二三四五六日天末]|应该|应急|全部|全体|全社区|成功|强调|关于|关爱|关系|管理|单位|单元|解决|解释|华为|和谐|谢谢|谢谢您|谢谢书记|常用|常规|文明|文体|项目|支持|支部|支书|路上|路口|路灯|包括|景区|明白|言行|谈话|于是|白天|许多|段时间|温馨|石头|金额|江边|林业|通知|贺卡|毕竟|应当|位置|位于|查询|车牌|房子|房间|边上|商量|商铺|解放|古城|米饭|池塘|牧场|冷静|皮肤|井盖|全家|全市|支付|原来|原因|左右|游泳|游客|成绩|成员|连续|连队|高层|高龄|康复|常态|康乐|方向|万一|万家|时长|项链|党员|双报到|向社区|向书记|向您|向大家|华侨|安心|宁静|车库|牛奶|马路|花园|广场|居民|解封|明细|安康|温度|平安|成人|单间|项目|曲目|季度|尾号)/u;

const surnameOf = (name: string): number => {
  if (DOUBLE.includes(name.slice(0, 2))) return 2;
  return SINGLE.includes(name.slice(0, 1)) && name !== '' ? 1 : 0;
};

/** Could this be a Chinese full name, by surname and length, or a name with middle dots? Says nothing about the roster. */
export function looksLikeName(text: string): boolean {
  if (/^[\p{Script=Han}]{1,8}(?:·[\p{Script=Han}]{1,10}){1,3}$/u.test(text)) return true;
  if (!/^[\p{Script=Han}]{2,4}$/u.test(text) || NOT_NAMES.test(text)) return false;
  const surname = surnameOf(text);
  const given = text.length - surname;
  return (
    surname > 0 &&
    given >= 1 &&
    given <= 2 &&
    !/[的了吗呢吧啊是在有不没我你他她它们这那什么怎号楼栋幢局院校委室]/u.test(text.slice(surname))
  );
}

/** A name of nobody in particular: any Chinese name is taken for a member's. For the quick ignore before the roster is known. */
export const ANY_NAME: Names = {
  has: looksLikeName,
  prefixOf(text) {
    for (const length of [3, 2, 4]) if (looksLikeName(text.slice(0, length))) return text.slice(0, length);
    return undefined;
  },
};

/** Nobody. */
export const NO_NAMES: Names = { has: () => false, prefixOf: () => undefined };

/** Where a member's name stands in a text. */
export interface NameSpan {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** All members' names in a text, run together or apart, in order; the longest name that fits at a place. */
export function namesIn(text: string, names: Names): NameSpan[] {
  const found: NameSpan[] = [];
  for (let i = 0; i < text.length;) {
    const name = names.prefixOf(text.slice(i, i + 20));
    if (name === undefined || name === '') i += 1;
    else {
      found.push({ name, start: i, end: i + name.length });
      i += name.length;
    }
  }
  return found;
}
