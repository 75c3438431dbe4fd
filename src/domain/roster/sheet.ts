import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import ExcelJS from 'exceljs';

/** A cell by its place, for people: row 3, column C. */
export interface Cell {
  readonly row: number;
  readonly column: string;
  readonly text: string;
}
export interface Sheet {
  readonly headers: readonly Cell[];
  /** Cells in the order of the headers; a row without any text is left out. */
  readonly rows: readonly (readonly Cell[])[];
}

/** A file that is no sheet. */
export class UnreadableSheet extends Error {
  override readonly name = 'UnreadableSheet';
}

const MAX_ROWS = 20_000;

/** A, B, … Z, AA. */
export function columnName(index: number): string {
  let name = '';
  for (let n = index + 1; n > 0; n = Math.floor((n - 1) / 26)) name = String.fromCharCode(65 + ((n - 1) % 26)) + name;
  return name;
}

/** UTF-8 where the bytes are valid UTF-8, else GB18030, as Excel writes csv in China. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}

function cellsOf(values: readonly string[], row: number): Cell[] {
  return values.map((text, i) => ({ row, column: columnName(i), text: text.normalize('NFKC').trim() }));
}

async function readXlsx(bytes: Buffer, name: string | undefined): Promise<string[][]> {
  const book = new ExcelJS.Workbook();
  await book.xlsx.load(bytes as unknown as ArrayBuffer);
  const sheet = name === undefined ? book.worksheets[0] : book.getWorksheet(name);
  if (!sheet) throw new UnreadableSheet(name === undefined ? '文件里没有工作表' : `文件里没有名为「${name}」的工作表`);
  const rows: string[][] = [];
  for (let r = 1; r <= Math.min(sheet.rowCount, MAX_ROWS); r += 1) {
    const values: string[] = [];
    for (let c = 1; c <= sheet.columnCount; c += 1) values.push(sheet.getRow(r).getCell(c).text);
    rows.push(values);
  }
  return rows;
}

/** @throws {UnreadableSheet} no xlsx and no csv, no header row, or too many rows */
export async function readSheet(file: string, sheetName?: string): Promise<Sheet> {
  const bytes = await readFile(file);
  const zip = bytes.subarray(0, 2).toString('latin1') === 'PK';
  let raw: string[][];
  try {
    raw = zip
      ? await readXlsx(bytes, sheetName)
      : parse(decodeText(bytes), { bom: true, relax_column_count: true, skip_empty_lines: false });
  } catch (cause) {
    if (cause instanceof UnreadableSheet) throw cause;
    throw new UnreadableSheet(`读不了 ${file}：要 xlsx 或 csv 文件`, { cause });
  }
  if (raw.length > MAX_ROWS) throw new UnreadableSheet(`最多 ${MAX_ROWS} 行`);
  const all = raw.map((values, i) => cellsOf(values, i + 1));
  const [headers, ...rows] = all;
  if (!headers || headers.every((h) => h.text === ''))
    throw new UnreadableSheet('第一行要写列名：姓名、手机后四位、类别、所在网格或楼栋');
  return { headers, rows: rows.filter((r) => r.some((c) => c.text !== '')) };
}
