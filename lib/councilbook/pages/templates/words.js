const plain = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const readWords = text => plain(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
// As stem_word in questions.py.
const stem = word => {
  if (word.length < 4) return word;
  if (word.endsWith("ies")) word = word.slice(0, -3) + "y";
  else if (/[^sui]s$/.test(word)) word = word.slice(0, -1);
  if (/..ing$/.test(word) && word.length > 5) word = word.slice(0, -3);
  else if (word.endsWith("ed") && word.length > 4) word = word.slice(0, -2);
  return word.endsWith("e") && word.length > 4 ? word.slice(0, -1) : word;
};
