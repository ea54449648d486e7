// A plugin file for @fastify/autoload that only passes the package on.
module.exports = require('fastify-cors-policy')
