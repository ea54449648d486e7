// The functions of app.cors. decoration.ts loads this file when one of them is first called.
export { allows } from './allows'
export { explain } from './explain'
export { listRoutes } from './routes'
export { routeRegistryOf } from './route-registry'
