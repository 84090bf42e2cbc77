/** A bar chart as SVG, readable on light and dark pages. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly text: string;
  readonly isOurs: boolean;
}

export interface Chart {
  readonly title: string;
  readonly bars: readonly Bar[];
  /** A line across the bars, such as a goal. */
  readonly mark?: { readonly value: number; readonly text: string };
}

const WIDTH = 760;
const LEFT = 250;
const RIGHT = 110;
const TOP = 44;
const BAR = 18;
const STEP = 26;

export function barChart({ title, bars, mark }: Chart): string {
  const height = TOP + bars.length * STEP + (mark ? 26 : 10);
  const longest = Math.max(...bars.map(({ value }) => value), mark?.value ?? 0);
  const width = (value: number): number => Math.max(1, ((WIDTH - LEFT - RIGHT) * value) / longest);
  const round = (value: number): string => value.toFixed(1);
  const drawn = bars.map(({ label, value, text, isOurs }, n) => {
    const y = TOP + n * STEP;
    const middle = y + BAR / 2 + 4;
    return [
      `<text x="${LEFT - 8}" y="${middle}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${LEFT}" y="${y}" width="${round(width(value))}" height="${BAR}" fill="${isOurs ? '#2563eb' : '#94a3b8'}"/>`,
      `<text x="${round(LEFT + width(value) + 6)}" y="${middle}">${escaped(text)}</text>`,
    ].join('\n');
  });
  const line = mark && [
    `<line x1="${round(LEFT + width(mark.value))}" x2="${round(LEFT + width(mark.value))}" y1="${TOP - 6}" y2="${height - 20}" stroke="#dc2626" stroke-dasharray="4 3"/>`,
    `<text x="${round(LEFT + width(mark.value))}" y="${height - 7}" text-anchor="middle" fill="#dc2626">${escaped(mark.text)}</text>`,
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13" fill="#0f172a" role="img" aria-label="${escaped(title)}">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="12" y="26" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    ...drawn,
    ...(line ?? []),
    '</svg>\n',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
