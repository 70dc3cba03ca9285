// What the page takes of druidjs (LGPL-3.0-or-later, https://github.com/saehm/druidjs): t-SNE and UMAP. The build
// makes a file of its own of it, which can be replaced by another version.
export { TSNE, UMAP } from '@saehrimnir/druidjs';
