#include "python/text.h"

#include <cstring>

#include "python/numpy_api.h"

namespace sardonyx::python {
namespace {

PyArrayObject* as_array(PyObject* array) { return reinterpret_cast<PyArrayObject*>(array); }

int utf8_length(npy_ucs4 c) { return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4; }

// Lone surrogates are encoded like any other code point: equal strings stay equal, and Python gets them back.
char* encode(npy_ucs4 c, char* to) {
  if (c < 0x80) {
    *to++ = static_cast<char>(c);
    return to;
  }
  const int length = utf8_length(c);
  static constexpr unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (int i = length - 1; i > 0; --i, c >>= 6) to[i] = static_cast<char>(0x80 | (c & 0x3F));
  to[0] = static_cast<char>(leads[length] | c);
  return to + length;
}

}  // namespace

TextInput::~TextInput() {
  for (PyObject* object : kept_) Py_DECREF(object);
}

bool TextInput::read(PyObject* array) {
  switch (PyArray_TYPE(as_array(array))) {
    case NPY_OBJECT: return read_objects(array);
    case NPY_UNICODE: return read_unicode(array);
    case NPY_VSTRING: return read_strings(array);
    default: return false;
  }
}

// References are kept: another thread may change the array while this one computes without the GIL.
bool TextInput::read_objects(PyObject* array) {
  const npy_intp count = PyArray_SIZE(as_array(array));
  auto* const* items = static_cast<PyObject**>(PyArray_DATA(as_array(array)));
  texts_.reserve(count);
  kept_.reserve(count);
  for (npy_intp i = 0; i < count; ++i) {
    if (items[i] == nullptr || !PyUnicode_Check(items[i])) return false;
    Py_ssize_t size = 0;
    const char* bytes = PyUnicode_AsUTF8AndSize(items[i], &size);
    PyObject* owner = items[i];
    if (bytes != nullptr) {
      Py_INCREF(owner);
    } else {  // a lone surrogate
      PyErr_Clear();
      owner = PyUnicode_AsEncodedString(items[i], "utf-8", "surrogatepass");
      if (owner == nullptr) return false;
      bytes = PyBytes_AS_STRING(owner);
      size = PyBytes_GET_SIZE(owner);
    }
    kept_.push_back(owner);
    texts_.push_back({bytes, size});
  }
  return true;
}

bool TextInput::read_unicode(PyObject* array) {
  const npy_intp count = PyArray_SIZE(as_array(array));
  const npy_intp width = PyArray_ITEMSIZE(as_array(array)) / 4;
  const auto* points = static_cast<const npy_ucs4*>(PyArray_DATA(as_array(array)));
  std::size_t total = 0;
  for (npy_intp i = 0; i < count * width; ++i) {
    if (points[i] > 0x10FFFF) return false;
    total += utf8_length(points[i]);
  }
  bytes_ = std::make_unique<char[]>(total + 1);
  texts_.reserve(count);
  char* to = bytes_.get();
  for (npy_intp i = 0; i < count; ++i, points += width) {
    npy_intp length = width;
    while (length > 0 && points[length - 1] == 0) --length;  // NumPy pads with zeros
    char* begin = to;
    for (npy_intp k = 0; k < length; ++k) to = encode(points[k], to);
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
