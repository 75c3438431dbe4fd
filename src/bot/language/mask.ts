const MOBILE = /(?<![0-9０-９])[1１](?:[\s-]?[0-9０-９]){10}(?![0-9０-９])/gu;
const IDENTITY = /(?<![0-9０-９])[0-9０-９]{17}[0-9０-９XxＸｘ](?![0-9０-９])/gu;

/** Mobile numbers (11 digits, also in groups) and ID numbers (18) become stars, but for the last four: the form in which texts are stored. */
export const maskNumbers = (text: string): string =>
  text
    .replace(IDENTITY, (id) => '*'.repeat(14) + id.slice(-4))
    .replace(MOBILE, (mobile) => {
      const digits = mobile.replace(/[\s-]/gu, '');
      return '*'.repeat(7) + digits.slice(-4);
    });
