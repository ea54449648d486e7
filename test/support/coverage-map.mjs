// Which files tap measures the coverage of, whatever the test: the sources. Not test helpers, nor examples, nor the built package, nor what is generated.
export default () => ['lib/**/!(compiled).ts']
