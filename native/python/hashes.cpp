#include "python/hashes.h"

#include "python/ref.h"
#include "sardonyx/murmur.h"

namespace sardonyx::python {

const char* const kHashTextsDoc =
    "hash_texts(texts, /)\n--\n\n"
    "Return an int32 array: MurmurHash3 with seed 0 of each element of a list, the UTF-8 of a str, or bytes.";

namespace {

bool hash_one(PyObject* text, std::int32_t* hash) {
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (PyUnicode_Check(text)) {
    data = const_cast<char*>(PyUnicode_AsUTF8AndSize(text, &size));
    if (data == nullptr) return false;
  } else if (PyBytes_AsStringAndSize(text, &data, &size) < 0) {
    return false;
  }
  *hash = murmur3(reinterpret_cast<const unsigned char*>(data), size);
  return true;
}

}  // namespace

PyObject* hash_texts(PyObject*, PyObject* texts) {
  if (!PyList_Check(texts)) {
    PyErr_SetString(PyExc_TypeError, "hash_texts takes a list");
    return nullptr;
  }
  npy_intp count = PyList_GET_SIZE(texts);
  Ref hashes(PyArray_SimpleNew(1, &count, NPY_INT32));
  if (!hashes) return nullptr;
  auto* data = static_cast<std::int32_t*>(PyArray_DATA(as_array(hashes.get())));
  for (npy_intp i = 0; i < count; ++i) {
    if (!hash_one(PyList_GET_ITEM(texts, i), data + i)) return nullptr;
  }
  return hashes.release();
}

}  // namespace sardonyx::python
