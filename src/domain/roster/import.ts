import { createHash } from 'node:crypto';
import { distance } from 'fastest-levenshtein';
import type { Model } from 'mongoose';
import type { Tx } from '../../store/transaction.js';
import { categories, type Category, type Member, type Role } from '../member/schema.js';
import type { OrgUnit } from '../organisation/schema.js';
import type { Cell, Sheet } from './sheet.js';

const COLUMNS = {
  name: ['姓名', '名字', '党员姓名'],
  phone: ['手机后四位', '手机', '手机号', '联系电话', '电话', '尾号'],
  category: ['类别', '党员类别', '人员类别'],
  unit: ['所在网格或楼栋', '所在网格', '网格', '楼栋', '所在楼栋', '单元', '所属网格'],
  home: ['工作单位', '所属党组织', '所在党组织', '单位'],
  post: ['职务', '角色'],
} as const;
type Column = keyof typeof COLUMNS;
const NEEDED: readonly Column[] = ['name', 'phone', 'category', 'unit'];
const CATEGORY_WORDS: Readonly<Record<string, Category>> = {
  直管: 'direct',
  在职: 'inService',
  流动: 'floating',
  退休: 'retired',
  离退休: 'retired',
  离休: 'retired',
  群众: 'resident',
  居民: 'resident',
};

/** What is wrong with a cell, for the person who made the sheet. */
export interface SheetError {
  readonly row: number;
  readonly column: string;
  readonly header: string;
  readonly problem: string;
}
export interface RosterPlan {
  readonly errors: readonly SheetError[];
  readonly added: readonly Member[];
  readonly changed: readonly { readonly before: Member; readonly after: Member; readonly fields: readonly string[] }[];
  readonly unchanged: number;
}

/** The same person in each import: by name and last four digits. */
const idOf = (name: string, phoneTail: string): string =>
  `r${createHash('sha256').update(`${name}|${phoneTail}`).digest('hex').slice(0, 20)}`;

function columnsOf(sheet: Sheet): { at: ReadonlyMap<Column, number>; errors: SheetError[] } {
  const at = new Map<Column, number>();
  for (const [column, names] of Object.entries(COLUMNS) as [Column, readonly string[]][]) {
    const index = sheet.headers.findIndex((h) => names.includes(h.text));
    if (index >= 0) at.set(column, index);
  }
  const errors = NEEDED.filter((c) => !at.has(c)).map((c) => ({
    row: 1,
    column: '-',
    header: COLUMNS[c][0],
    problem: `缺少列「${COLUMNS[c][0]}」`,
  }));
  return { at, errors };
}

function categoryOf(text: string): Category | undefined {
  const known = Object.entries(categories).find(([, zh]) => zh === text);
  return (known?.[0] as Category | undefined) ?? CATEGORY_WORDS[text.replace(/党员$/, '')];
}

function rolesOf(post: string, unit: OrgUnit): Role[] {
  if (!/书记|网格长|组长/.test(post)) return [];
  const role = unit.kind === 'community' && /书记/.test(post) ? 'secretary' : 'leader';
  return [{ role, unit: unit._id, unitName: unit.name, path: unit.path }];
}

/** Compares a sheet with the roster; nothing is written. All errors are found, not only the first. */
export function planRoster(sheet: Sheet, units: readonly OrgUnit[], members: readonly Member[]): RosterPlan {
  const { at, errors } = columnsOf(sheet);
  if (errors.length > 0) return { errors, added: [], changed: [], unchanged: 0 };
  const added: Member[] = [];
  const changed: { before: Member; after: Member; fields: string[] }[] = [];
  const seen = new Map<string, number>();
  let unchanged = 0;
  for (const row of sheet.rows) {
    const cell = (column: Column): Cell =>
      row[at.get(column) ?? -1] ?? { row: row[0]?.row ?? 0, column: '-', text: '' };
    const fail = (column: Column, problem: string): void =>
      void errors.push({
        row: cell(column).row,
        column: cell(column).column,
        header: sheet.headers[at.get(column) ?? -1]?.text ?? '',
        problem,
      });
    const before = errors.length;
    const name = cell('name').text.replaceAll(' ', '');
    if (!/^[\p{Script=Han}·]{2,20}$/u.test(name)) fail('name', name === '' ? '姓名没有填' : `「${name}」不像姓名`);
    const digits = cell('phone').text.replace(/\D/g, '');
    if (!/^(?:\d{4}|\d{11})$/.test(digits)) fail('phone', '要写手机后四位，或11位手机号');
    const category = categoryOf(cell('category').text);
    if (!category) fail('category', `「${cell('category').text}」不是类别：要写直管、在职、流动、离退休或群众`);
    const unitName = cell('unit').text;
    const unit = units.find((u) => u.name === unitName);
    if (!unit) {
      const near = units.map((u) => u.name).toSorted((a, b) => distance(a, unitName) - distance(b, unitName))[0];
      fail('unit', `没有「${unitName}」这个网格或楼栋${near === undefined ? '' : `，是不是${near}？`}`);
    }
    const phoneTail = digits.slice(-4);
    const key = `${name}|${phoneTail}`;
    const first = seen.get(key);
    if (first !== undefined) fail('name', `和第${first}行重复`);
    seen.set(key, cell('name').row);
    if (errors.length > before || !category || !unit) continue;
    const there = members.find((m) => m.name === name && m.phoneTail === phoneTail);
    const post = at.has('post') ? cell('post').text : undefined;
    const home = at.has('home') ? cell('home').text : undefined;
    const { homeOrganisation: _home, ...base } = there ?? {
      _id: idOf(name, phoneTail),
      posts: [],
      roles: [],
      homeOrganisation: undefined,
    };
    const homeOrganisation = home ?? there?.homeOrganisation;
    const after: Member = {
      ...base,
      name,
      phoneTail,
      category,
      unit: unit._id,
      unitName: unit.name,
      unitPath: unit.path,
      ...(post !== undefined && { posts: post === '' ? [] : [post], roles: rolesOf(post, unit) }),
      ...(homeOrganisation !== undefined && homeOrganisation !== '' && { homeOrganisation }),
    };
    if (!there) added.push(after);
    else {
      const fields = (['category', 'unitName', 'homeOrganisation', 'posts', 'roles'] as const).filter(
        (f) => JSON.stringify(there[f]) !== JSON.stringify(after[f]),
      );
      if (fields.length === 0) unchanged += 1;
      else changed.push({ before: there, after, fields });
    }
  }
  return { errors, added, changed, unchanged };
}

/** Writes a plan without errors: all of it in the transaction, or nothing. */
export function applyRoster(tx: Tx, models: { members: Model<Member> }, plan: RosterPlan): void {
  if (plan.errors.length > 0) throw new Error('a plan with errors is not applied');
  for (const member of plan.added) tx.insert(models.members, member);
  for (const { after } of plan.changed) {
    const { _id, ...rest } = after;
    tx.update(models.members, { _id }, { $set: rest });
  }
}
