// The functions of sardonyx._native that make Columns.
#include "python/column.h"
// Python first: its header must precede the standard ones.
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "python/dtypes.h"
#include "python/errors.h"
#include "python/ref.h"
#include "python/unending.h"
#include "runtime/error.h"

namespace sardonyx::python {
namespace {

template <class T>
T* in_capsule(PyObject* capsule, const char* name) {
  return static_cast<T*>(PyCapsule_GetPointer(capsule, name));
}

PyObject *stream_method = nullptr, *array_method = nullptr;  // interned names

PyObject* column_of_table(const std::shared_ptr<ArrowTable>& table, std::int64_t number, bool missing_is_nan) {
  auto source = std::make_unique<Source>();
  source->table = table;
  source->number = number;
  source->missing_is_nan = missing_is_nan;
  return new_column(std::move(source));
}

PyObject* columns_of_table(const std::shared_ptr<ArrowTable>& table) {
  if (!table->is_struct()) throw Error("these Arrow data are one column; give a table, whose columns have names.");
  Ref result(PyDict_New());
  for (std::int64_t i = 0; result && i < table->columns(); ++i) {
    const Ref name(
        PyUnicode_DecodeUTF8(table->name(i), static_cast<Py_ssize_t>(std::strlen(table->name(i))), "replace"));
    const Ref column(column_of_table(table, i, false));
    if (!name || !column) return nullptr;
    const int known = PyDict_Contains(result.get(), name.get());
    // Thrown, not set: the table is released before an error is set, and its library may call Python for that.
    if (known > 0) {
      throw Error("several columns are named '" + std::string(table->name(i)) + "'; give every column its own name.");
    }
    if (known != 0 || PyDict_SetItem(result.get(), name.get(), column.get()) != 0) return nullptr;
  }
  return result.release();
}

PyObject* arrow_columns(PyObject*, PyObject* object) {
  try {
    const auto table = read_table(object);
    return table == nullptr ? nullptr : columns_of_table(table);
  } catch (...) {
    return raise_current(input_error);
  }
}

PyObject* arrow_column(PyObject*, PyObject* args) {
  PyObject* object = nullptr;
  int missing_is_nan = 0;
  if (!PyArg_ParseTuple(args, "Op", &object, &missing_is_nan)) return nullptr;
  try {
    const auto table = read_table(object);
    if (table == nullptr) return nullptr;
    if (table->is_struct()) throw Error("this is a table, not a column");
    return column_of_table(table, 0, missing_is_nan != 0);
  } catch (...) {
    return raise_current(input_error);
  }
}

bool is_vector(PyObject* object) { return PyArray_Check(object) && PyArray_NDIM(as_array(object)) == 1; }

PyObject* refuse_vectors(const char* what) {
  PyErr_Format(PyExc_TypeError, "%s are one-dimensional arrays of NumPy, of the same length", what);
  return nullptr;
}

void keep(Source& source, PyObject* object) {
  source.kept.push_back(object);
  Py_INCREF(object);
}

PyObject* masked_column(PyObject*, PyObject* args) {
  PyObject *values = nullptr, *mask = nullptr;
  if (!PyArg_ParseTuple(args, "OO", &values, &mask)) return nullptr;
  DType dtype{};
  if (!is_vector(values) || !is_vector(mask) || PyArray_TYPE(as_array(mask)) != NPY_BOOL ||
      PyArray_SIZE(as_array(values)) != PyArray_SIZE(as_array(mask)) || !dtype_of_array(values, &dtype)) {
    return refuse_vectors("numbers and a mask of bools");
  }
  auto source = std::make_unique<Source>();
  Strip strip = strip_of_array(values, dtype, PyArray_SIZE(as_array(values)), PyArray_STRIDE(as_array(values), 0));
  strip.gone = static_cast<const std::uint8_t*>(PyArray_DATA(as_array(mask)));
  strip.gone_stride = PyArray_STRIDE(as_array(mask), 0);
  source->strips.chunks.push_back(strip);
  source->missing_is_nan = true;
  keep(*source, values);
  keep(*source, mask);
  return new_column(std::move(source));
}

// The categories as one strip; false if they are neither numbers nor text.
bool read_categories(PyObject* categories, Source& source, Strip* strip) {
  if (is_column(categories)) {
    const std::vector<Strip>& chunks = source_of(categories).chunks();
    if (chunks.size() > 1) return false;
    if (!chunks.empty()) *strip = chunks[0];
    return true;
  }
  if (!is_vector(categories)) return false;
  DType dtype{};
  if (dtype_of_array(categories, &dtype)) {
    *strip =
        strip_of_array(categories, dtype, PyArray_SIZE(as_array(categories)), PyArray_STRIDE(as_array(categories), 0));
    return true;
  }
  TextInput& texts = source.texts.emplace_back();
  if (!PyArray_ISCARRAY_RO(as_array(categories)) || !texts.read(categories)) return false;
  *strip = strip_of_texts(texts.data(), PyArray_SIZE(as_array(categories)));
  return true;
}

PyObject* coded_column(PyObject*, PyObject* args) {
  PyObject *codes = nullptr, *categories = nullptr;
  if (!PyArg_ParseTuple(args, "OO", &codes, &categories)) return nullptr;
  DType dtype{};
  if (!is_vector(codes) || !dtype_of_array(codes, &dtype)) return refuse_vectors("codes");
  try {
    auto source = std::make_unique<Source>();
    Strip strip = strip_of_array(codes, dtype, PyArray_SIZE(as_array(codes)), PyArray_STRIDE(as_array(codes), 0));
    auto dictionary = std::make_unique<Strip>();
    if (!read_categories(categories, *source, dictionary.get())) {
      if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "categories are numbers or text");
      return nullptr;
    }
    strip.dictionary = source->strips.dictionaries.emplace_back(std::move(dictionary)).get();
    strip.negative_is_missing = true;
    source->strips.chunks.push_back(strip);
    source->missing_is_nan = true;
    keep(*source, codes);
    keep(*source, categories);
    return new_column(std::move(source));
  } catch (...) {
    return raise_current(input_error);
  }
}

PyMethodDef functions[] = {
    {"arrow_columns", arrow_columns, METH_O,
     "arrow_columns(table, /)\n--\n\nDict of name to Column of an object with __arrow_c_stream__ or "
     "__arrow_c_array__."},
    {"arrow_column", arrow_column, METH_VARARGS,
     "arrow_column(array, missing_is_nan, /)\n--\n\nThe Column of an Arrow array or chunked array."},
    {"masked_column", masked_column, METH_VARARGS,
     "masked_column(values, mask, /)\n--\n\nThe Column of numbers that are missing where the mask is true."},
    {"coded_column", coded_column, METH_VARARGS,
     "coded_column(codes, categories, /)\n--\n\nThe Column of categories[codes]; a negative code is a missing value."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

std::shared_ptr<ArrowTable> read_table(PyObject* object) {
  Ref capsule(unending(PyObject_CallMethodNoArgs, object, stream_method));
  if (capsule) {
    auto* stream = in_capsule<ArrowArrayStream>(capsule.get(), "arrow_array_stream");
    return stream == nullptr ? nullptr : std::make_shared<ArrowTable>(stream);
  }
  if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return nullptr;
  PyErr_Clear();
  const Ref pair(unending(PyObject_CallMethodNoArgs, object, array_method));
  if (!pair) return nullptr;
  if (!PyTuple_Check(pair.get()) || PyTuple_GET_SIZE(pair.get()) != 2)
    throw Error("__arrow_c_array__ gave no pair of capsules");
  auto* schema = in_capsule<ArrowSchema>(PyTuple_GET_ITEM(pair.get(), 0), "arrow_schema");
  auto* array = in_capsule<ArrowArray>(PyTuple_GET_ITEM(pair.get(), 1), "arrow_array");
  return schema == nullptr || array == nullptr ? nullptr : std::make_shared<ArrowTable>(schema, array);
}

bool add_column_makers(PyObject* module) {
  stream_method = PyUnicode_InternFromString("__arrow_c_stream__");
  array_method = PyUnicode_InternFromString("__arrow_c_array__");
  return stream_method != nullptr && array_method != nullptr && PyModule_AddFunctions(module, functions) == 0;
}

}  // namespace sardonyx::python
