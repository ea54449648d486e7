// The implementation of app.cors. decoration.ts loads it when one of the functions is first called.
export { allows } from './allows'
export { explain } from './explain'
export { listRoutes } from './routes'
export { routeRegistryOf } from './route-registry'
