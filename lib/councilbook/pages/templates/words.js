const plain = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const readWords = text => plain(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
