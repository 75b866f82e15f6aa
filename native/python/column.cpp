#include "python/column.h"

#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "python/numpy_api.h"
#include "python/ref.h"
#include "runtime/error.h"

namespace sardonyx::python {
namespace {

PyObject* refusal = nullptr;  // sardonyx.InputError
PyTypeObject* column_type = nullptr;

struct ColumnObject {
  PyObject_HEAD Source* source;
};

PyArrayObject* as_array(PyObject* array) { return reinterpret_cast<PyArrayObject*>(array); }

// ---- the type Column -------------------------------------------------------------------------------------------------

PyObject* make(std::unique_ptr<Source> source) {
  auto* self = reinterpret_cast<ColumnObject*>(column_type->tp_alloc(column_type, 0));
  if (self != nullptr) self->source = source.release();
  return reinterpret_cast<PyObject*>(self);
}

void deallocate(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  {
    const SetAside error;  // a library may call Python to release its data
    delete reinterpret_cast<ColumnObject*>(self)->source;
  }
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* raise_current(const char* name = "") {
  try {
    throw;
  } catch (const Error& error) {
    if (*name == '\0') {
      PyErr_SetString(refusal, error.what());
    } else {
      PyErr_Format(refusal, "column '%s' cannot be read: %s", name, error.what());
    }
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

// ---- a column as an array of NumPy -----------------------------------------------------------------------------------

PyObject* number_object(const Strip& strip, std::int64_t at) {
  const DType dtype = dtype_of(strip);
  if (dtype == DType::f32 || dtype == DType::f64) {
    double value = 0;
    return read_number(strip, at, DType::f64, &value) == Item::fits ? PyFloat_FromDouble(value) : nullptr;
  }
  if (dtype == DType::boolean) {
    std::uint8_t value = 0;
    return read_number(strip, at, DType::boolean, &value) == Item::fits ? PyBool_FromLong(value) : nullptr;
  }
  std::int64_t value = 0;
  if (read_number(strip, at, DType::i64, &value) == Item::fits) return PyLong_FromLongLong(value);
  std::uint64_t large = 0;
  return read_number(strip, at, DType::u64, &large) == Item::fits ? PyLong_FromUnsignedLongLong(large) : nullptr;
}

PyObject* object_at(const Strip& strip, std::int64_t at) {
  Text text{};
  if (!holds_text(strip)) return number_object(strip, at);
  if (read_text(strip, at, &text) != Item::fits) return nullptr;
  return PyUnicode_DecodeUTF8(text.data, text.size, "surrogatepass");
}

bool fill_objects(const std::vector<Strip>& strips, bool nan, PyObject** items) {
  for (const Strip& strip : strips) {
    for (std::int64_t i = 0; i < strip.count; ++i, ++items) {
      PyObject* item = object_at(strip, i);
      if (item == nullptr && PyErr_Occurred()) return false;
      if (item == nullptr) item = nan ? PyFloat_FromDouble(Py_NAN) : Py_NewRef(Py_None);
      Py_XSETREF(*items, item);
    }
  }
  return true;
}

constexpr int kTypes[] = {NPY_NOTYPE, NPY_FLOAT32, NPY_FLOAT64, NPY_INT8,   NPY_INT16,  NPY_INT32,
                          NPY_INT64,  NPY_UINT8,   NPY_UINT16,  NPY_UINT32, NPY_UINT64, NPY_BOOL};

// An array of counts, then seen as what they count; a null is NaT.
PyObject* to_moments(const Source& source, const std::string& dtype) {
  npy_intp rows = source.rows();
  Ref array(PyArray_SimpleNew(1, &rows, NPY_INT64));
  if (!array) return nullptr;
  auto* to = static_cast<std::int64_t*>(PyArray_DATA(as_array(array.get())));
  for (const Strip& strip : source.table->strips(source.number).chunks) {
    for (std::int64_t i = 0; i < strip.count; ++i, ++to) {
      if (read_number(strip, i, DType::i64, to) != Item::fits) *to = NPY_DATETIME_NAT;
    }
  }
  return PyObject_CallMethod(array.get(), "view", "s", dtype.c_str());
}

// An array of its own dtype; of objects where that has no place for what is missing, so that integers stay exact.
PyObject* to_array(Source& source) {
  if (const std::string moment = source.moment(); !moment.empty()) return to_moments(source, moment);
  const std::vector<Strip>& strips = source.chunks();
  npy_intp rows = source.rows();
  if (!strips.empty() && !holds_text(strips[0]) && strips[0].layout != Layout::nulls) {
    const DType dtype = dtype_of(strips[0]);
    Ref array(PyArray_SimpleNew(1, &rows, kTypes[static_cast<int>(dtype)]));
    if (!array) return nullptr;
    auto* to = static_cast<std::byte*>(PyArray_DATA(as_array(array.get())));
    bool whole = true;
    for (const Strip& strip : strips) {
      whole = whole && read_numbers(strip, dtype, to, 1);
      to += strip.count * static_cast<std::int64_t>(item_size(dtype));
    }
    if (whole) return array.release();
  }
  Ref array(PyArray_ZEROS(1, &rows, NPY_OBJECT, 0));
  if (!array) return nullptr;
  auto** items = static_cast<PyObject**>(PyArray_DATA(as_array(array.get())));
  return fill_objects(strips, source.missing_is_nan, items) ? array.release() : nullptr;
}

PyObject* column_array(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"dtype", "copy", nullptr};
  PyObject *dtype = Py_None, *copy = Py_None;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO", const_cast<char**>(names), &dtype, &copy)) return nullptr;
  try {
    Ref array(to_array(source_of(self)));
    if (!array || dtype == Py_None) return array.release();
    return PyObject_CallMethod(array.get(), "astype", "O", dtype);
  } catch (...) {
    return raise_current(source_of(self).name());
  }
}

Py_ssize_t column_length(PyObject* self) { return source_of(self).rows(); }

template <class Function>
PyCFunction as_c_function(Function* function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef column_methods[] = {
    {"__array__", as_c_function(column_array), METH_VARARGS | METH_KEYWORDS,
     "__array__(dtype=None, copy=None)\n--\n\nThe values in a new array; of objects, if some are missing."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot column_slots[] = {
    {Py_tp_doc,
     const_cast<char*>("A column of somebody's table, read in place. Made by the functions of this module.")},
    {Py_tp_dealloc, reinterpret_cast<void*>(deallocate)},
    {Py_tp_methods, column_methods},
    {Py_sq_length, reinterpret_cast<void*>(column_length)},
    {0, nullptr},
};

PyType_Spec column_spec = {"sardonyx._native.Column", sizeof(ColumnObject), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, column_slots};

// ---- making columns --------------------------------------------------------------------------------------------------

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
  return make(std::move(source));
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
    return raise_current();
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
    return raise_current();
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
  return make(std::move(source));
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
    return make(std::move(source));
  } catch (...) {
    return raise_current();
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

// The numbers of NumPy that programs know; those of a foreign byte order they do not.
bool dtype_of_array(PyObject* array, DType* dtype) {
  if (!PyArray_ISNOTSWAPPED(as_array(array))) return false;
  const int size = static_cast<int>(PyArray_ITEMSIZE(as_array(array)));
  const auto among = [&](DType one, DType two, DType four, DType eight) {
    *dtype = size == 1 ? one : size == 2 ? two : size == 4 ? four : eight;
    return size == 1 || size == 2 || size == 4 || size == 8;
  };
  switch (PyArray_DESCR(as_array(array))->kind) {
    case 'b': *dtype = DType::boolean; return true;
    case 'i': return among(DType::i8, DType::i16, DType::i32, DType::i64);
    case 'u': return among(DType::u8, DType::u16, DType::u32, DType::u64);
    case 'f': *dtype = size == 4 ? DType::f32 : DType::f64; return size == 4 || size == 8;
    default: return false;
  }
}

Strip strip_of_array(PyObject* array, DType dtype, std::int64_t count, std::int64_t stride) {
  Strip strip;
  strip.layout = Layout::numbers;
  strip.dtype = dtype;
  strip.count = count;
  strip.stride = stride;
  strip.values = PyArray_DATA(as_array(array));
  return strip;
}

std::shared_ptr<ArrowTable> read_table(PyObject* object) {
  Ref capsule(PyObject_CallMethodNoArgs(object, stream_method));
  if (capsule) {
    auto* stream = in_capsule<ArrowArrayStream>(capsule.get(), "arrow_array_stream");
    return stream == nullptr ? nullptr : std::make_shared<ArrowTable>(stream);
  }
  if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return nullptr;
  PyErr_Clear();
  const Ref pair(PyObject_CallMethodNoArgs(object, array_method));
  if (!pair) return nullptr;
  if (!PyTuple_Check(pair.get()) || PyTuple_GET_SIZE(pair.get()) != 2)
    throw Error("__arrow_c_array__ gave no pair of capsules");
  auto* schema = in_capsule<ArrowSchema>(PyTuple_GET_ITEM(pair.get(), 0), "arrow_schema");
  auto* array = in_capsule<ArrowArray>(PyTuple_GET_ITEM(pair.get(), 1), "arrow_array");
  return schema == nullptr || array == nullptr ? nullptr : std::make_shared<ArrowTable>(schema, array);
}

Source::~Source() {
  for (PyObject* object : kept) Py_DECREF(object);
}

std::string Source::refused() const { return table != nullptr && !read ? table->refused_type(number) : ""; }

std::string Source::moment() const { return table != nullptr ? table->moment(number) : ""; }

const std::vector<Strip>& Source::chunks() {
  if (!read && table != nullptr) {
    if (const std::string type = refused(); !type.empty()) {
      throw Error("Arrow's type " + type + " is neither number, bool, text nor moment; convert it, or leave it out.");
    }
    strips = table->strips(number);
    read = true;
  }
  return strips.chunks;
}

std::int64_t Source::rows() const { return table != nullptr ? table->rows() : strips.chunks[0].count; }

const char* Source::name() const { return table != nullptr ? table->name(number) : ""; }

bool is_column(PyObject* object) { return Py_TYPE(object) == column_type; }

Source& source_of(PyObject* column) { return *reinterpret_cast<ColumnObject*>(column)->source; }

bool add_columns(PyObject* module, PyObject* input_error) {
  refusal = input_error;
  stream_method = PyUnicode_InternFromString("__arrow_c_stream__");
  array_method = PyUnicode_InternFromString("__arrow_c_array__");
  column_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&column_spec));
  if (stream_method == nullptr || array_method == nullptr || column_type == nullptr) return false;
  return PyModule_AddObjectRef(module, "Column", reinterpret_cast<PyObject*>(column_type)) == 0 &&
         PyModule_AddFunctions(module, functions) == 0;
}

}  // namespace sardonyx::python
