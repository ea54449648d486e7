// An application that is never ready.
setInterval(() => {}, 1000)
module.exports = async () => await new Promise(() => {})
