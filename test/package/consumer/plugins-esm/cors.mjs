// A plugin file for @fastify/autoload that only passes the package on.
export { default } from 'fastify-cors-policy'
