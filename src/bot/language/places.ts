import { HAN_DIGITS, parseWhole } from './numbers.js';

const N = `(\\d{1,3}|[${HAN_DIGITS}]{1,3})`;
const BUILDING = new RegExp(`${N}\\s*(?:号楼|栋|幢|号(?=\\d|[${HAN_DIGITS}]{1,2}单元))(?:\\s*${N}\\s*(?:单元|门))?`);
const GRID = new RegExp(`第?${N}(?:号)?网格(?:党支部)?`);
const OWN = /(?:我们|咱们|咱|本|我)(社区|网格|楼)/;
const HAN = ['', '一', '二', '三', '四', '五', '六', '七', '八', '九'];

/** 1 to 99 as grids are numbered: `十二`. */
const inHan = (n: number): string =>
  n < 10 || n > 99 ? (HAN[n] ?? String(n)) : `${n < 20 ? '' : HAN[Math.floor(n / 10)]}十${HAN[n % 10]}`;

export interface FoundUnit {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** A unit in its canonical name: `三栋二单元` → `3号楼2单元`, `3网格` → `第三网格`, `咱们社区` → `本社区`. */
export function findUnit(text: string): FoundUnit | undefined {
  const grid = GRID.exec(text);
  if (grid) {
    const n = parseWhole(grid[1] ?? '') ?? 0;
    return { name: `第${inHan(n)}网格`, from: grid.index, to: grid.index + grid[0].length };
  }
  const building = BUILDING.exec(text);
  if (building) {
    const unit = building[2] === undefined ? '' : `${parseWhole(building[2])}单元`;
    return {
      name: `${parseWhole(building[1] ?? '')}号楼${unit}`,
      from: building.index,
      to: building.index + building[0].length,
    };
  }
  const own = OWN.exec(text) ?? /全(社区|网格)/.exec(text);
  return own ? { name: `本${own[1]}`, from: own.index, to: own.index + own[0].length } : undefined;
}
