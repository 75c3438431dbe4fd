import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ExcelJS from 'exceljs';
import fc from 'fast-check';
import type { Member } from '../../src/domain/member/schema.js';
import type { OrgUnit } from '../../src/domain/organisation/schema.js';
import { planRoster } from '../../src/domain/roster/import.js';
import { columnName, readSheet, type Sheet } from '../../src/domain/roster/sheet.js';

const units: OrgUnit[] = [
  { _id: 'c', kind: 'community', name: '幸福社区', path: '/s/c/' },
  { _id: 'g3', kind: 'gridBranch', name: '第三网格', path: '/s/c/g3/' },
  { _id: 'b3', kind: 'buildingGroup', name: '3号楼', path: '/s/c/g3/b3/' },
];
const sheetOf = (headers: string[], rows: string[][]): Sheet => {
  const cells = (values: string[], row: number) => values.map((text, i) => ({ row, column: columnName(i), text }));
  return { headers: cells(headers, 1), rows: rows.map((r, i) => cells(r, i + 2)) };
};
const HEADERS = ['姓名', '手机后四位', '类别', '所在网格或楼栋', '职务'];

describe('roster import', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridmate-roster-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('names row and column of every error, not only of the first, and plans nothing of those rows', () => {
    const plan = planRoster(
      sheetOf(HEADERS, [
        ['王秀兰', '8821', '在职', '3号楼', ''],
        ['张', '12', '外星', '33号楼', ''],
        ['王秀兰', '8821', '在职', '3号楼', ''],
      ]),
      units,
      [],
    );
    expect(plan.errors.map((e) => `${e.row}${e.column} ${e.problem}`)).toEqual([
      '3A 「张」不像姓名',
      '3B 要写手机后四位，或11位手机号',
      '3C 「外星」不是类别：要写直管、在职、流动、离退休或群众',
      '3D 没有「33号楼」这个网格或楼栋，是不是3号楼？',
      '4A 和第2行重复',
    ]);
    expect(planRoster(sheetOf(['姓名'], []), units, []).errors.map((e) => e.problem)).toContain('缺少列「手机后四位」');
  });

  it('a post gives the right over the unit; only the last four digits of a number are kept', () => {
    const { added } = planRoster(
      sheetOf(HEADERS, [['李书记', '13812345678', '直管党员', '第三网格', '网格长']]),
      units,
      [],
    );
    expect(added[0]).toMatchObject({
      phoneTail: '5678',
      posts: ['网格长'],
      roles: [{ role: 'leader', path: '/s/c/g3/' }],
    });
    expect(JSON.stringify(added)).not.toContain('13812345678');
  });

  it('importing twice is the same as once', () => {
    const row = fc.record({
      name: fc.constantFrom('王秀兰', '张三丰', '李四光', '欧阳慧'),
      tail: fc.integer({ min: 0, max: 9999 }).map((n) => String(n).padStart(4, '0')),
      category: fc.constantFrom('直管', '在职', '流动'),
      unit: fc.constantFrom('第三网格', '3号楼'),
      post: fc.constantFrom('', '网格长'),
    });
    fc.assert(
      fc.property(fc.uniqueArray(row, { selector: (r) => r.name + r.tail, maxLength: 20 }), (rows) => {
        const sheet = sheetOf(
          HEADERS,
          rows.map((r) => [r.name, r.tail, r.category, r.unit, r.post]),
        );
        const first = planRoster(sheet, units, []);
        const members: readonly Member[] = first.added;
        const second = planRoster(sheet, units, members);
        expect(first.errors).toEqual([]);
        expect([second.added.length, second.changed.length, second.unchanged]).toEqual([0, 0, rows.length]);
      }),
    );
  });

  it('reads csv in UTF-8 with a mark, csv in GB18030 and xlsx alike, and keeps leading zeros', async () => {
    const text = '姓名,手机后四位,类别,所在网格或楼栋\n王秀兰,0021,在职,3号楼\n';
    await writeFile(join(folder, 'utf8.csv'), `\uFEFF${text}`);
    // 姓名,手机后四位,类别,所在网格或楼栋 / 王秀兰,0021,在职,3号楼 in GB18030.
    const gb =
      'd0d5c3fb2ccad6bbfabaf3cbc4cebb2cc0e0b1f02ccbf9d4dacdf8b8f1bbf2c2a5b6b00acdf5d0e3c0bc2c303032312cd4dad6b02c33bac5c2a50a';
    await writeFile(join(folder, 'gb.csv'), Buffer.from(gb, 'hex'));
    const book = new ExcelJS.Workbook();
    const sheet = book.addWorksheet('名册');
    for (const line of text.trim().split('\n')) sheet.addRow(line.split(','));
    await book.xlsx.writeFile(join(folder, 'book.xlsx'));
    for (const file of ['utf8.csv', 'gb.csv', 'book.xlsx']) {
      const { headers, rows } = await readSheet(join(folder, file));
      expect(headers.map((h) => h.text)).toEqual(['姓名', '手机后四位', '类别', '所在网格或楼栋']);
      expect(rows.map((r) => r.map((c) => c.text))).toEqual([['王秀兰', '0021', '在职', '3号楼']]);
    }
    await writeFile(join(folder, 'empty.csv'), '');
    await expect(readSheet(join(folder, 'empty.csv'))).rejects.toThrow('第一行要写列名');
  });
});
