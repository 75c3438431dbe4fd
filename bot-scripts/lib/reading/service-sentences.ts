import type { Names } from '../../../src/bot/grammar.js';
import { findDurations } from '../../../src/bot/language/durations.js';
import { looksLikeName } from '../../../src/bot/language/names.js';
import { findItems } from './service-items.js';

/** Hours and services stand in many sentences that report nothing. What follows tells those apart. */

/** Of what else people write to the bot: other commands, corrections, the points a service gives. */
const OTHER_MATTERS =
  /能加|加几分|几分|多少分|[加扣](?:\d+|[一二两三四五六七八九十]+)分|积分|规则|请.{0,4}假|迟到|晚到|签到|参加不了|来不了|到不了|预约|接龙|通知|公告|统计|发布|任务|招募|取消|删除|删掉|撤销|撤回|改成|改为|更正|申诉|(?:^|[把第#])\d{3,}(?!分|\d)/;
/** Of what somebody would do, does as a habit, or wants of others. */
const NOT_DONE =
  /可以|能不能|(?<![思理])想(?:去|要|报|在|参加)|要不|打算|计划|准备[去要]|安排|报名|如果|要是|假如|应该|[每天]天|平时|经常|以前|从前|本来|原来|[叫派喊]人|让(?!座)|一会儿?(?!$)|等会|马上|待会|回头|下次|需要|希望|建议|行不行|好不好|还要去|还得|申请|求助|开玩笑|逗你|骗你|记不清|不记得|多少|[找请]人|请.{0,4}来|帮我(?!登记|报|记)|能来|集合|时间(?:[是改:]|\s*\d)|(\p{Script=Han})不\1|吗/u;
/** Of waiting, and of what went wrong. */
const COMPLAINT =
  /等了|黑了|[吵闹漏停](?:架|水|电)?了|(?<![摸安编])排(?:不上|队|了|着)|没(?!发现|问题|来得及|登记|记|报|打卡|有?异常|什么事)|不上|不了|还不|不亮|才(?:来|到|轮|好|修|排|开门)|轮[到不]|快递|堵了|就够/;
/** What is complained of, unless the writer settled or mended it. */
const TROUBLE = /坏了|吵|闹|扰民|漏水|停水|停电|投诉/;
const SETTLED = /调解|化解|劝架|劝和|修/;
/** Of other people: as subject, or as those who said so. */
const OTHERS =
  /(?<![教给陪帮为送跟和])[他她]|别人|(?<![给帮为陪教老])人家|给我(?!登|记|报|补)|的是|(?<!给.{0,8})上课|(?:我|自己|自)家(?!访)|大家|有人|(?:听|据)\p{Script=Han}{0,4}[说讲]|(?:书记|主任|队长|网格长|领导|老\p{Script=Han}|小\p{Script=Han}|\p{Script=Han}[叔姨哥姐嫂婶伯爷奶])说|看见|看到|不是我|谁|哪[些个]|有几个|几个人|(?:辅导|陪|带|接|送|给|教|帮)(?:着|我家?的?)?(?:孙子|孙女|外孙|儿子|女儿|自家|娃)|(?:陪|带|送|接|给|帮)我(?:妈|爸|爷|奶|姥|老伴|老公|老婆|爱人)(?!.{0,3}[报登])/u;
const SUBJECT =
  /^(?:(?:昨|今|前)[天晚早日]|上午|下午|早上|晚上|刚才?|[\s,])*(?:我家?的?)?(?:老公|老婆|爱人|丈夫|妻子|家人|老伴|对象|老头子?|老太太|隔壁|孙子|孙女|儿媳|女婿|同事|朋友|对门|楼[上下]|父母|爸爸?|妈妈?|儿子|女儿|孩子|学生|邻居|物业|保安|保洁|师傅|志愿者|社工|网格员|我们(?:网格|社区|支部|小区|单位|楼))(?![和跟与])/;
/** Behind the name of a service: those who do it, or what is done it to. */
const OF_IT =
  /^(?:[员车店]|[之以]前|前(?=[\d一二两三四五六七八九十半]+个?(?:小时|钟头|分))|期间|视频|照片|新闻|直播|队|师傅|人员|的(?!是)\p{Script=Han})/u;

/** `扫的楼道 扫了两小时`: the verb again, and the length is of doing it. */
const isOfIt = (text: string, from: number, to: number): boolean =>
  OF_IT.test(text.slice(to)) &&
  !(text[to] === '队' && /(?:跟着?|随|和|同|参加|加入)\s*$/.test(text.slice(0, from))) &&
  !(text[to] === '的' && text.slice(to).includes(`${text[from]}了`));

/** `张三说他巡逻了`, `巡逻的保安睡了2小时`, `我想周六去义诊2小时`: about services, but no report of one's own. */
export const tellsOtherwise = (text: string, names: Names): boolean =>
  OTHER_MATTERS.test(text) ||
  NOT_DONE.test(text) ||
  COMPLAINT.test(text) ||
  (TROUBLE.test(text) && !SETTLED.test(text)) ||
  OTHERS.test(text) ||
  SUBJECT.test(text) ||
  tellsOfStranger(text, names) ||
  text.startsWith('说', names.prefixOf(text)?.length ?? text.length) ||
  findItems(text).some(({ from, to }) => isOfIt(text, from, to)) ||
  // `昨天巡逻2小时的照片`: the length describes something else.
  // But `修了一上午的灯` is a length of doing.
  findDurations(text).some(
    ({ from, to }) =>
      /^的(?!样子)/.test(text.slice(to)) &&
      findItems(text.slice(to)).length === 0 &&
      !(/了\s*$/.test(text.slice(0, from)) && findItems(text.slice(0, from)).length > 0),
  );

/** A length that is a limit, a usual one or the time until something: `至少2小时`, `1小时后`. */
export const isNoLength = (text: string): boolean =>
  findDurations(text).some(
    ({ from, to }) =>
      /^(?:[以之]?[后前内]|[一1每][次回趟班轮])/.test(text.slice(to)) ||
      /(?:至少|最[少多]|不[少多]于|满|限|一般|需要?|得|(?<!主)要|差)\s*$/.test(text.slice(0, from)),
  );

/** What a note may say beside the service: where, for whom, how many, and words that add nothing. */
const EXPLAINED =
  /(?:在|去|到|从|给|帮|为|和|跟|与|陪|带着?)?(?:\p{Script=Han}{1,6}|\d+号?)?(?:楼道?|栋|幢|单元|门口?|广场|花园|小区|社区|学校|路口?|河边?|公园|活动室|站|院|街|桥|医院|车库|车棚|中心|[小中大]学|办公室|会议室|超市|市场|卡[口点]|现场|岗亭|桶站|村|家)里?|(?:给|帮|为|陪|带着?|和|跟|与)\p{Script=Han}{1,6}|[\d一二两三四五六七八九十百几]+(?:多)?(?:个|位|名|户|人次|人|岁|份|副|张|件|次|袋|桶|盏|条|家)\p{Script=Han}{0,3}|[用花]了|一共|总共|忘了?报了?|忘了?打卡|忘记|补报?|登记|完|一起|来着|我们?|[了的又还也去做呢哈报记]|参加|志愿|服务|谢谢|没(?:发现)?问题|没来得及/gu;
/** How people talk to a bot and of what they did: adds nothing. */
const TALK =
  /[他她]们|\p{Script=Han}?(?:奶奶|爷爷|大爷|大妈|大姐|大哥|大娘|大伯|阿姨|叔叔|婆婆|老太太|老两口)家?|小助手|[你您]好|现?申报|(?:项目|时长|日期|内容|时间|地点|类型|事项)[为是:]?|本人|个|[喂哎唉嘛啊呀咧嘞吧呗哟]|麻烦|帮忙|一下|同志|这个|那个|[们仨俩于从把刚]|几个|党员|独居|老人|大妈|大爷|居民|群众|孩子|一[圈笔趟回遍早]|一直|开展|完成|协助|[回过]来|[都全][在是]?|纠纷|[上下后前里]头?|开始|结束|手机|微信|那天|的?事儿?|病|时|点/gu;
/** Whoever says this in a sentence may mean that it was otherwise. */
const OTHERWISE =
  /不(?!文明|戴|规范|便|良|锈)|[未别说谁吗才想若怎咋哪让叫被等该但算嫌]|太(?![太极阳])|没(?!发现|问题|来得及|忘|异常|关|锁|戴)|是(?:不|否)|其实|听|看(?!望|病|护|完|老|孤|独)/;
const MOST_UNEXPLAINED = 3;
/** Whoever tells of something done says so: by 我 or 了, or by a day. */
const DONE = /我|了|刚|昨|前[天晚]|今|上?(?:周|星期|礼拜)|\d[号日]|[十廿]\p{Script=Han}?[号日]|登记|报|记/u;

/** Told by the verb alone, without a word that the writer did it: `3号楼的灯修了2小时`. */
export const isBareVerb = (text: string): boolean =>
  findItems(text).some(({ bySign }) => bySign) && !/我|给|帮|去|在|刚|教|陪|送|和/.test(text);
/** `义诊9点到10点在广场` can be what is planned. */
export const isBareClock = (text: string): boolean =>
  findDurations(text).some(({ clock }) => clock) && !/我|了|今|昨|前天|刚|周|\d[号日]/.test(text);
/** `打算明天巡逻`: the writer's own plan. */
export const plans = (text: string): boolean => /^我?还?(?:打算|准备|计划|想[去要]|要去)/.test(text);

/** `帮刘建国报一下`, `刘建国 守桶1小时`: a name that is no member's; whom it counts for is asked back. */
export const reportsStranger = (text: string, { names }: { readonly names: Names }): boolean => {
  const name = /^[\s,]*(?:帮|替|代)(\p{Script=Han}{2,4}?)(?:登记|申报|填报|报)/u.exec(text)?.[1];
  if (name !== undefined) return names.prefixOf(name) === undefined && looksLikeName(name);
  const alone = /^[\s,]*(\p{Script=Han}{3})(?=[\s,、])|[\s,](\p{Script=Han}{3})$/u.exec(text);
  const signed = alone?.[1] ?? alone?.[2];
  return (
    signed !== undefined &&
    !/^[和跟与同]|[站门区园场口店校院楼队街路桥所处道亭边]$/.test(signed) &&
    looksLikeName(signed) &&
    names.prefixOf(signed) === undefined &&
    findItems(signed).length === 0
  );
};
/** `老张昨天巡逻3小时`: somebody who is no member is the subject. */
function tellsOfStranger(text: string, names: Names): boolean {
  const subject = /^[\s,]*(\p{Script=Han}{2,3}?)(?=昨|今[天早]|前天|上午|下午|早上|晚上|在|去|刚)/u.exec(text)?.[1];
  return (
    subject !== undefined &&
    !/[我你他她这那]/.test(subject) &&
    names.prefixOf(text.trimStart()) === undefined &&
    (looksLikeName(subject) || /^[老小](?!\p{Script=Han}[区学院])\p{Script=Han}$/u.test(subject)) &&
    findItems(subject).length === 0
  );
}

/** A note that may take back what the message reports. */
export const takesBack = (note: string): boolean => OTHERWISE.test(note);
/** A note that says more than where, for whom and how much: whoever did not begin with the word is asked back. */
export function saysMore(note: string, text: string): boolean {
  const done = new Set(findItems(text, true).flatMap(({ from, to }) => [...text.slice(from, to)]));
  const left = note
    .replace(EXPLAINED, '')
    .replace(TALK, '')
    .replace(/[^\p{Script=Han}]/gu, '');
  const most = DONE.test(text) ? MOST_UNEXPLAINED : MOST_UNEXPLAINED - 1;
  return takesBack(note) || [...left].filter((c) => !done.has(c)).length > most;
}

/** Right before a service, or at the end: it is still to be done. */
export const isToCome = (text: string): boolean =>
  findItems(text).some(({ from }) =>
    /(?:打算|准备|计划|想|要去|一会儿?|等会儿?|待会儿?|马上|回头)(?:去|要)?\s*$/.test(text.slice(0, from)),
  ) || /(?:等会|一会|待会|回头)儿?再?(?:去|做)$/.test(text);
/** `没去巡逻`: what was not done is no report. */
export const denies = (text: string): boolean =>
  findItems(text).some(({ from }) =>
    /(?:没有?|未|别|不(?:是|去|能|想|参加|做|用|要))(?:去|能|再|参加|来|做|记|报|登记|算|写)?\s*$/.test(
      text.slice(0, from),
    ),
  );
/** After the word 服务: whoever looks for people, asks or takes back reports nothing. */
export const looksForPeople = (text: string): boolean =>
  /^[\s,]*(?:感谢|谢谢|多谢|表扬|点赞)|谁|招募|报名|活动通知|行不行|如果|有人|取消|撤销|作废|重复报/.test(text);
/** Whoever is not sure is asked back. */
export const isUnsure = (text: string): boolean => /应该|好像|可能|估计|大概是|记得是/.test(text) || isNoLength(text);
