/** Milliseconds that a policy may think about one request. */
const POLICY_TIMEOUT_MS = 10_000;

/** What a policy answers. @throws Error when that takes too long: the caller waits for it, and so does a stop */
export async function inTime(answer: boolean | Promise<boolean>): Promise<boolean> {
  if (typeof answer === 'boolean') return answer;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`It did not answer within ${POLICY_TIMEOUT_MS} ms.`);
    timer = setTimeout(() => reject(error), POLICY_TIMEOUT_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
