#include "python/text.h"

#include <algorithm>
#include <cstring>

#include "python/numpy_api.h"
#include "runtime/utf8_encode.h"

namespace sardonyx::python {
namespace {

// The UTF-8 that a str holds already, as one of ASCII does, or null.
const char* kept_utf8(PyObject* object, Py_ssize_t* size) {
  const auto* compact = reinterpret_cast<const PyCompactUnicodeObject*>(object);
  if (PyUnicode_IS_COMPACT_ASCII(object)) {
    *size = PyUnicode_GET_LENGTH(object);
    return static_cast<const char*>(PyUnicode_DATA(object));
  }
  *size = compact->utf8_length;
  return compact->utf8;
}

char* encode(PyObject* object, char* to) {
  const auto size = static_cast<std::size_t>(PyUnicode_GET_LENGTH(object));
  const void* points = PyUnicode_DATA(object);
  switch (PyUnicode_KIND(object)) {
    case PyUnicode_1BYTE_KIND: return encode_utf8(static_cast<const std::uint8_t*>(points), size, to);
    case PyUnicode_2BYTE_KIND: return encode_utf8(static_cast<const std::uint16_t*>(points), size, to);
    default: return encode_utf8(static_cast<const std::uint32_t*>(points), size, to);
  }
}

}  // namespace

StrTexts::~StrTexts() { clear(); }

void StrTexts::clear() {
  for (PyObject* object : kept_) Py_DECREF(object);
  kept_.clear();
  pages_.clear();
  free_ = end_ = nullptr;
}

bool StrTexts::add(PyObject* object, Text* to) {
  Py_ssize_t size = 0;
  const char* bytes = PyUnicode_IS_COMPACT(object) ? kept_utf8(object, &size) : nullptr;
  if (bytes == nullptr && PyUnicode_IS_COMPACT(object) && PyUnicode_GET_LENGTH(object) >= kLong) {
    *to = encoded(object);
    return true;
  }
  if (bytes == nullptr) bytes = PyUnicode_AsUTF8AndSize(object, &size);
  if (bytes == nullptr) return add_surrogates(object, to);
  kept_.push_back(Py_NewRef(object));
  *to = {bytes, size};
  return true;
}

bool StrTexts::add_surrogates(PyObject* object, Text* to) {
  PyErr_Clear();
  PyObject* encoded = PyUnicode_AsEncodedString(object, "utf-8", "surrogatepass");
  if (encoded == nullptr) return false;
  kept_.push_back(encoded);
  *to = {PyBytes_AS_STRING(encoded), PyBytes_GET_SIZE(encoded)};
  return true;
}

Text StrTexts::encoded(PyObject* object) {
  const std::int64_t widest = PyUnicode_KIND(object) == PyUnicode_1BYTE_KIND ? 2 : PyUnicode_KIND(object) + 1;
  char* begin = room(PyUnicode_GET_LENGTH(object) * widest + static_cast<std::int64_t>(kEncodedSlack));
  free_ = encode(object, begin);
  return {begin, free_ - begin};
}

// Memory for so many bytes, from free_ on.
char* StrTexts::room(std::int64_t bytes) {
  constexpr std::int64_t kPage = std::int64_t{1} << 20;
  if (bytes > end_ - free_) {
    const std::int64_t size = pages_.empty() ? bytes : std::max(bytes, kPage);
    pages_.push_back(std::unique_ptr<char[]>(new char[static_cast<std::size_t>(size)]));
    free_ = pages_.back().get();
    end_ = free_ + size;
  }
  return free_;
}

bool TextInput::read(PyObject* array) {
  switch (PyArray_TYPE(as_array(array))) {
    case NPY_OBJECT: return read_objects(array);
    case NPY_UNICODE: return read_unicode(array);
    case NPY_VSTRING: return read_strings(array);
    default: return false;
  }
}

bool TextInput::read_objects(PyObject* array) {
  const npy_intp count = PyArray_SIZE(as_array(array));
  auto* const* items = static_cast<PyObject**>(PyArray_DATA(as_array(array)));
  texts_.resize(count);
  for (npy_intp i = 0; i < count; ++i) {
    if (items[i] == nullptr || !PyUnicode_Check(items[i]) || !strs_.add(items[i], &texts_[i])) return false;
  }
  return true;
}

bool TextInput::read_unicode(PyObject* array) {
  const npy_intp count = PyArray_SIZE(as_array(array));
  const npy_intp width = PyArray_ITEMSIZE(as_array(array)) / 4;
  const auto* points = static_cast<const npy_ucs4*>(PyArray_DATA(as_array(array)));
  npy_ucs4 most = 0;
  for (npy_intp i = 0; i < count * width; ++i) most = std::max(most, points[i]);
  if (most > 0x10FFFF) return false;
  bytes_ = std::make_unique<char[]>(4 * static_cast<std::size_t>(count * width) + kEncodedSlack);
  texts_.reserve(count);
  char* to = bytes_.get();
  for (npy_intp i = 0; i < count; ++i, points += width) {
    npy_intp length = width;
    while (length > 0 && points[length - 1] == 0) --length;  // NumPy pads with zeros
    char* begin = to;
    to = encode_utf8(points, static_cast<std::size_t>(length), begin);
    texts_.push_back({begin, to - begin});
  }
  return true;
}

// The packed strings are NumPy's own; they may be read only while the allocator is held, so they are copied.
bool TextInput::read_strings(PyObject* array) {
  const npy_intp count = PyArray_SIZE(as_array(array));
  const npy_intp stride = PyArray_ITEMSIZE(as_array(array));
  const char* packed = PyArray_BYTES(as_array(array));
  auto* dtype = reinterpret_cast<PyArray_StringDTypeObject*>(PyArray_DESCR(as_array(array)));
  const Text missing = dtype->na_object == Py_None ? kMissingNone : kMissingNaN;
  npy_string_allocator* allocator = NpyString_acquire_allocator(dtype);
  std::vector<char> copy;
  std::vector<std::size_t> ends;
  bool legal = true;
  for (npy_intp i = 0; legal && i < count; ++i) {
    npy_static_string item = {0, nullptr};
    const int state =
        NpyString_load(allocator, reinterpret_cast<const npy_packed_static_string*>(packed + i * stride), &item);
    const Text text = state == 0 ? Text{item.buf, static_cast<std::int64_t>(item.size)} : missing;
    legal = state == 0 || (state == 1 && !dtype->has_string_na);
    if (legal) copy.insert(copy.end(), text.data, text.data + text.size);
    ends.push_back(copy.size());
  }
  NpyString_release_allocator(allocator);
  if (!legal) return false;
  bytes_ = std::make_unique<char[]>(copy.size() + 1);
  if (!copy.empty()) std::memcpy(bytes_.get(), copy.data(), copy.size());
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    texts_.push_back({bytes_.get() + begin, static_cast<std::int64_t>(end - begin)});
    begin = end;
  }
  return true;
}

TextCache::~TextCache() {
  for (const Entry& entry : table_) Py_XDECREF(entry.object);
}

PyObject* TextCache::get(const Text& text) {
  const auto* at = reinterpret_cast<const std::byte*>(text.data);
  const bool constant = at >= constants_.data() && at <= constants_.data() + constants_.size();
  if (!constant) return PyUnicode_DecodeUTF8(text.data, text.size, "surrogatepass");
  if (2 * (used_ + 1) > table_.size()) grow();
  Entry& entry = find(text);
  if (entry.object == nullptr) {
    PyObject* made = PyUnicode_DecodeUTF8(text.data, text.size, "surrogatepass");
    if (made == nullptr) return nullptr;
    entry = {text, made};
    ++used_;
  }
  Py_INCREF(entry.object);
  return entry.object;
}

TextCache::Entry& TextCache::find(const Text& text) {
  const std::size_t mask = table_.size() - 1;
  // Multiplicative hashing (Knuth): constants lie close together, the high bits spread them.
  std::size_t at = (reinterpret_cast<std::uintptr_t>(text.data) * 0x9E3779B97F4A7C15u) >> 20;
  for (;; ++at) {
    Entry& entry = table_[at & mask];
    if (entry.object == nullptr || (entry.text.data == text.data && entry.text.size == text.size)) return entry;
  }
}

void TextCache::grow() {
  std::vector<Entry> old(table_.empty() ? 16 : 2 * table_.size(), Entry{{nullptr, 0}, nullptr});
  old.swap(table_);
  for (const Entry& entry : old) {
    if (entry.object != nullptr) find(entry.text) = entry;
  }
}

}  // namespace sardonyx::python
