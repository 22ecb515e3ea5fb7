export { imageLoader as default } from './image.js'
