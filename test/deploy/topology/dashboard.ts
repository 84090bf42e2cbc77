import { readFileSync } from 'node:fs';

export interface PanelQuery {
  readonly row: string;
  readonly panel: string;
  readonly expr: string;
}

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

/** Every query of a dashboard, as Grafana sends it with All chosen everywhere. @param path of the JSON file */
export function panelQueries(path: string): PanelQuery[] {
  const { panels } = JSON.parse(readFileSync(path, 'utf8')) as { panels: readonly Panel[] };
  let row = '';
  return panels.flatMap(({ type, title, targets = [] }) => {
    if (type === 'row') row = title;
    return targets.map(({ expr }) => ({ row, panel: title, expr: filledIn(expr) }));
  });
}

function filledIn(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('"$tool"', '".+"')
    .replaceAll(/"\$(job|namespace|instance|pod)"/g, '".*"');
}
