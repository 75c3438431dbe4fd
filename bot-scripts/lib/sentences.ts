import type { Unread } from '../../src/bot/message.js';
import type { Sentences } from '../../src/bot/sentences.js';

const roleNames: Readonly<Record<string, string>> = {
  leader: '网格长、楼栋组长',
  secretary: '社区书记',
  member: '党员',
};

const unread: Readonly<Record<Unread, string>> = {
  video: '视频我看不了，没有登记。请用文字说，也可以发照片',
  voice: '语音我听不了，没有登记。请用文字说',
  file: '文件我看不了，没有登记。请用文字说，也可以发照片',
  place: '位置我看不了，没有登记。请用文字说',
  link: '链接我看不了，没有登记。请用文字说',
  other: '这类消息我看不了，没有登记。请用文字说，也可以发照片',
  lost: '图片没有收到，请再发一次',
  tooLarge: '图片或文件太大，没有收下。请换一张小一点的',
};

const THANKS =
  /^(?:好的?|嗯+|收到|明白了?|知道了?)?(?:谢谢|多谢|感谢|辛苦|谢啦|3q|thanks?)(?:你|您|啊|啦|了|哈|小助手|网格)*$/iu;
const GREETING =
  /^(?:小助手)?(?:你好|您好|早上好|上午好|下午好|晚上好|早安?|嗨|hi|hello|在吗|在不在)(?:啊|呀|小助手)*$/iu;

/** What the engine itself says. */
export const sentences: Sentences = {
  stranger: () => '我还不认识您。请先报到：报到 姓名 手机后四位\n例如：报到 王秀兰 8821',
  notAllowed: (word, role) => `「${word}」只有${roleNames[role] ?? role}可以用。发「帮助」看看您可以做什么`,
  wrongPlace: (word, needed) =>
    needed === 'private' ? `「${word}」请私聊我发，不要发在群里` : `「${word}」请在网格群里发`,
  unboundGroup: () => '本群还没有绑定网格，请网格长私聊我发「绑定码 第几网格」，再在群里发「绑定 绑定码」',
  courtesy(text) {
    const said = text.replace(/[^\p{L}\p{N}]/gu, '');
    if (THANKS.test(said)) return '不客气';
    return GREETING.test(said) ? '您好，我在。发「帮助」看看我能做什么，例如：服务 环境整治 2小时' : undefined;
  },
  unstableIds: () =>
    '这里接的是网页版微信，每次重新登录后账号都会变，认不准人，所以不能在这里报到和绑定群。请管理员改用企业微信或其他接入方式',
  makesNoGroups: () =>
    '我在这里不能建群：要用企业微信的自建应用。请自己建好群，把我拉进去，再用「绑定码 第几网格」绑定',
  late: () => '（前面没有连上，您这条消息现在才收到）',
  notUnderstood: (near) =>
    near.length > 0
      ? `没有听懂。您是不是想发：${near.map((w) => `「${w}」`).join('、')}？\n发「帮助」看全部说法`
      : '没有听懂。发「帮助」看看我能做什么，例如：服务 环境整治 2小时',
  unread: (why) => unread[why],
  cancelled: () => '好的，已取消',
  nothingToCancel: () => '没有等您回答的问题',
  expired: () => '刚才的问题等了10分钟没有回答，先取消了，什么也没有登记。需要时请重新发一次',
  givenUp: () => '还是没有听懂，先取消了，什么也没有登记。发「帮助」看看怎么说',
  again: () => '没有听懂您的回答。',
  tooLong: (max) => `内容太长了（最多${max}个字），没有登记。请分几次发`,
  busy: () => '您发得太快了，请稍等再发',
  apology: (reference) =>
    `抱歉，刚才出了点问题，没有登记成功，请稍后再发一次。如还不行，请把编号 ${reference} 告诉管理员`,
};
