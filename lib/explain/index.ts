// What app.cors consists of. Loaded when one of it is first called: see decoration.ts.
export { allows } from './allows'
export { explain } from './explain'
export { routesOf } from './routes'
export { sourceOf } from './source'
