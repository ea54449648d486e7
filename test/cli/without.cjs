// An application without the plugin.
module.exports = async () => {}
