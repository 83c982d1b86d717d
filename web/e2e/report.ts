// Says at the end what was tested. Where the time was over (`--global-timeout`), the rest was not, and that is no failure.
import type { FullResult, Reporter, Suite, TestCase } from "@playwright/test/reporter";

const ENDED = new Set(["passed", "failed", "timedOut"]); // the others were skipped or interrupted

export default class Report implements Reporter {
  private tests: TestCase[] = [];

  onBegin(_config: unknown, suite: Suite): void {
    this.tests = suite.allTests();
  }

  onEnd({ status }: FullResult): Promise<Pick<FullResult, "status">> {
    const isTested = (test: TestCase) => test.results.some((result) => ENDED.has(result.status));
    const of = (project: string) => this.tests.filter((test) => test.parent.project()?.name === project);
    const projects = [...new Set(this.tests.map((test) => test.parent.project()?.name ?? ""))];
    const counts = projects.map((name) => `${name} ${of(name).filter(isTested).length} of ${of(name).length}`);
    const failed = this.tests.some((test) => isTested(test) && !test.ok());
    const isCut = status === "timedout" && !failed;
    process.stdout.write(`\ntested in Chromium: ${counts.join(", ")}${isCut ? "; there was no time for the rest" : ""}\n`);
    return Promise.resolve({ status: isCut ? "passed" : status });
  }
}
