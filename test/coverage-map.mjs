// Which files each test measures (tap's coverage-map): lib/ only, never test helpers.
// Tests that run the built package measure nothing: source maps lead from dist/ back to lib/, where its code would be counted a second time.
const RUN_DIST = ['test/package/', 'test/browser/', 'test/examples']

/** @param {string} file the test's path, relative to the repository */
export default (file) => RUN_DIST.some((prefix) => file.startsWith(prefix)) ? null : ['lib/**/*.ts']
