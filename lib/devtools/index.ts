// The functions of app.cors. This file is loaded when one of them is first called.
export { allows } from './allows'
export { explain } from './explain'
export { listRoutes } from './routes'
export { routeRegistryOf } from './route-registry'
