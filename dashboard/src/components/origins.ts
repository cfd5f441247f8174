/** Several origins in one text, as they are pasted: by lines, spaces or commas. */
export function splitOrigins(text: string): string[] {
  return text.split(/[\s,;]+/).filter((part) => part !== "");
}

/** The entries of a form that say something, and the row that each stands in. */
export function filledRows(rows: readonly { value: string }[]): { list: string[]; rowOf: number[] } {
  const filled = rows.flatMap(({ value }, row) =>
    value.trim() === "" ? [] : [{ value: value.trim(), row }],
  );
  return { list: filled.map(({ value }) => value), rowOf: filled.map(({ row }) => row) };
}

/** Messages about places in a list, such as "origins.2", by the rows that were sent for it. */
export function messagesByRow(
  fields: Readonly<Record<string, string>>,
  path: string,
  rowOf: readonly number[],
): { row: number; message: string }[] {
  return Object.entries(fields).flatMap(([field, message]) => {
    const row = field.startsWith(`${path}.`) ? rowOf[Number(field.slice(path.length + 1))] : undefined;
    return row === undefined ? [] : [{ row, message }];
  });
}
