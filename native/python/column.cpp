#include "python/column.h"

#include <string>

#include "python/dtypes.h"
#include "python/errors.h"
#include "python/ref.h"
#include "runtime/error.h"

namespace sardonyx::python {
namespace {

PyTypeObject* column_type = nullptr;

struct ColumnObject {
  PyObject_HEAD Source* source;
};

// ---- the type Column ------------------------------------------------------------------------------------------------

void deallocate(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  {
    const SetAside error;  // a library may call Python to release its data
    delete reinterpret_cast<ColumnObject*>(self)->source;
  }
  type->tp_free(self);
  Py_DECREF(type);
}

// To be called in a catch block; returns nullptr.
PyObject* raise_of(const char* name) {
  try {
    throw;
  } catch (const Error& error) {
    if (*name == '\0') return raise_current(input_error);
    return PyErr_Format(input_error, "column '%s' cannot be read: %s", name, error.what());
  } catch (...) {
    return raise_current(input_error);
  }
}

// ---- a column as an array of NumPy ----------------------------------------------------------------------------------

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
    Ref array(PyArray_SimpleNew(1, &rows, info(dtype).typenum));
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
    return raise_of(source_of(self).name());
  }
}

Py_ssize_t column_length(PyObject* self) { return source_of(self).rows(); }

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

}  // namespace

Strip strip_of_array(PyObject* array, DType dtype, std::int64_t count, std::int64_t stride) {
  Strip strip;
  strip.layout = Layout::numbers;
  strip.dtype = dtype;
  strip.count = count;
  strip.stride = stride;
  strip.values = PyArray_DATA(as_array(array));
  return strip;
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

PyObject* new_column(std::unique_ptr<Source> source) {
  auto* self = reinterpret_cast<ColumnObject*>(column_type->tp_alloc(column_type, 0));
  if (self != nullptr) self->source = source.release();
  return reinterpret_cast<PyObject*>(self);
}

bool add_columns(PyObject* module) {
  column_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&column_spec));
  if (column_type == nullptr) return false;
  return PyModule_AddObjectRef(module, "Column", reinterpret_cast<PyObject*>(column_type)) == 0 &&
         add_column_makers(module);
}

}  // namespace sardonyx::python
