#include "python/reader.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "python/column.h"
#include "python/dtypes.h"
#include "python/ref.h"
#include "runtime/error.h"

namespace sardonyx::python {
namespace {

[[noreturn]] void refuse(const char* name, const Error& error) {
  const std::string column = *name == '\0' ? "a column" : "column '" + std::string(name) + "'";
  throw Error(column + " cannot be read: " + error.what());
}

std::int64_t size_of(DType dtype) { return static_cast<std::int64_t>(item_size(dtype)); }

// ---- Python's own values --------------------------------------------------------------------------------------------

// pandas' NA and NaT: known by their names, as pandas is not imported for them.
bool is_na(PyObject* object) {
  const std::string_view name(Py_TYPE(object)->tp_name);
  return name.ends_with("NAType") || name.ends_with("NaTType");
}

bool is_missing_object(PyObject* object) {
  if (object == Py_None) return true;
  return PyFloat_Check(object) ? PyFloat_AS_DOUBLE(object) != PyFloat_AS_DOUBLE(object) : is_na(object);
}

constexpr long long kExactInDoubles = 1LL << 53;

// Larger integers go the slow way, as their meaning depends on what stands beside them.
bool keep_long(PyObject* object, DType dtype, void* to) {
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
  return overflow == 0 && value >= -kExactInDoubles && value <= kExactInDoubles && keep_integer(value, dtype, to);
}

bool keep_scalar(PyObject* object, DType dtype, void* to) {  // of NumPy
  const bool whole = PyArray_IsScalar(object, Integer) || PyArray_IsScalar(object, Bool);
  if (!whole && !PyArray_IsScalar(object, Half) && !PyArray_IsScalar(object, Float)) return false;
  const Ref plain(PyObject_CallMethod(object, "item", nullptr));
  if (!plain) {
    PyErr_Clear();
    return false;
  }
  return PyLong_Check(plain.get()) ? keep_long(plain.get(), dtype, to)
                                   : PyFloat_Check(plain.get()) && keep_real(PyFloat_AS_DOUBLE(plain.get()), dtype, to);
}

bool keep_object(PyObject* object, DType dtype, void* to) {
  if (PyFloat_Check(object)) return keep_real(PyFloat_AS_DOUBLE(object), dtype, to);
  if (PyLong_Check(object)) return keep_long(object, dtype, to);
  if (object == Py_None || is_na(object)) return keep_missing(dtype, to);
  return keep_scalar(object, dtype, to);
}

PyObject* item_at(const std::byte* items) {
  PyObject* item = nullptr;
  std::memcpy(&item, items, sizeof item);
  return item == nullptr ? Py_None : item;  // NumPy's own reading of an object array that nobody filled
}

bool keep_objects(const std::byte* items, std::int64_t stride, std::int64_t count, DType dtype, std::byte* to) {
  for (std::int64_t i = 0; i < count; ++i, items += stride, to += size_of(dtype)) {
    if (!keep_object(item_at(items), dtype, to)) return false;
  }
  return true;
}

}  // namespace

void ColumnReader::clear() {
  for (PyObject* object : kept_) Py_DECREF(object);
  kept_.clear();
  strs_.clear();
  parts_.clear();
  chunks_.clear();
  if (table_ != nullptr) {
    const SetAside error;  // a library may call Python to release its data
    table_.reset();
  }
  strips_.clear();
  texts_.clear();
  blocks_.clear();
  used_ = 0;
}

void* ColumnReader::allocate(std::size_t bytes) {
  const std::size_t rounded = (bytes + 15) / 16 * 16;
  if (rounded <= kInline - used_) {
    used_ += rounded;
    return inline_ + used_ - rounded;
  }
  blocks_.emplace_back(new std::byte[rounded]);
  return blocks_.back().get();
}

void ColumnReader::keep(PyObject* object) {
  Py_INCREF(object);
  kept_.push_back(object);
}

void ColumnReader::add_strip(const Strip& strip) {
  parts_.push_back({{&strips_.emplace_back(strip), 1}, kMissingNaN, ""});
}

// ---- finding --------------------------------------------------------------------------------------------------------

bool ColumnReader::add_part(PyObject* column, DType dtype, std::int64_t* rows) {
  std::int64_t count = 0;
  bool added = false;
  if (is_column(column)) {
    added = add_column(column, &count);
  } else if (PyArray_CheckExact(column)) {
    const int ndim = PyArray_NDIM(as_array(column));
    if (ndim != 1 && !(ndim == 2 && PyArray_DIM(as_array(column), 1) == 1)) return false;
    count = PyArray_DIM(as_array(column), 0);
    added = add_array(column, dtype, count, PyArray_STRIDE(as_array(column), 0));
  } else if (PyList_CheckExact(column) || PyTuple_CheckExact(column)) {
    count = PySequence_Fast_GET_SIZE(column);
    const auto* items = reinterpret_cast<const std::byte*>(PySequence_Fast_ITEMS(column));
    added = add_objects(items, sizeof(PyObject*), count, dtype);
  }
  if (!added || (*rows >= 0 && *rows != count)) return false;
  *rows = count;
  keep(column);
  return true;
}

// Columns of types that models do not take are for the slow way, which says so in its library's words.
bool ColumnReader::add_column(PyObject* column, std::int64_t* count) {
  Source& source = source_of(column);
  if (!source.refused().empty()) return false;
  try {
    parts_.push_back({source.chunks(), source.missing_is_nan ? kMissingNaN : none_, source.name()});
  } catch (const Error& error) {
    refuse(source.name(), error);
  }
  *count = source.rows();
  return true;
}

bool ColumnReader::add_column(std::int64_t number) {
  if (!table_->refused_type(number).empty()) return false;
  try {
    parts_.push_back({chunks_.emplace_back(table_->strips(number)).chunks, none_, table_->name(number)});
  } catch (const Error& error) {
    refuse(table_->name(number), error);
  }
  return true;
}

bool ColumnReader::add_array(PyObject* array, DType dtype, std::int64_t count, std::int64_t stride) {
  DType own{};
  if (PyArray_TYPE(as_array(array)) == NPY_OBJECT) {
    return add_objects(static_cast<const std::byte*>(PyArray_DATA(as_array(array))), stride, count, dtype);
  }
  if (dtype_of_array(array, &own)) {
    add_strip(strip_of_array(array, own, count, stride));
    return true;
  }
  TextInput texts;
  if (!PyArray_ISCARRAY_RO(as_array(array)) || !texts.read(array)) return false;
  add_strip(strip_of_texts(texts.data(), count));
  texts_.push_back(std::move(texts));
  return true;
}

bool ColumnReader::add_objects(const std::byte* items, std::int64_t stride, std::int64_t count, DType dtype) {
  auto* to = static_cast<std::byte*>(allocate(static_cast<std::size_t>(count * size_of(dtype))));
  if (dtype == DType::text) {
    auto* texts = reinterpret_cast<Text*>(to);
    add_strip(strip_of_texts(texts, count));
    return fill_texts(items, stride, count, texts);
  }
  Strip strip;
  strip.layout = Layout::numbers;
  strip.dtype = dtype;
  strip.count = count;
  strip.stride = size_of(dtype);
  strip.values = to;
  add_strip(strip);
  return keep_objects(items, stride, count, dtype, to);
}

bool ColumnReader::fill_texts(const std::byte* items, std::int64_t stride, std::int64_t count, Text* to) {
  for (std::int64_t i = 0; i < count; ++i, items += stride, ++to) {
    PyObject* item = item_at(items);
    if (PyUnicode_Check(item) ? !strs_.add(item, to) : !is_missing_object(item)) return false;
    if (!PyUnicode_Check(item)) *to = item == Py_None ? none_ : kMissingNaN;
  }
  return true;
}

// ---- binding --------------------------------------------------------------------------------------------------------

bool ColumnReader::bind(PyObject* column, DType dtype, std::int64_t* rows, Input* input) {
  *input = {nullptr, parts_.size(), 1, 1};
  if (!add_part(column, dtype, rows)) return false;
  lie(dtype, input);
  return true;
}

// Where the only part lies as the program takes it, it need not be read.
void ColumnReader::lie(DType dtype, Input* input) const {
  const Part& part = parts_.back();
  if (part.strips.size() != 1 || !lies_as(part.strips[0], dtype)) return;
  const Strip& strip = part.strips[0];
  *input = {static_cast<const std::byte*>(strip.values) + strip.first * strip.stride};
}

bool ColumnReader::bind_matrix(PyObject* columns, DType dtype, std::int64_t* rows, Input* input) {
  *input = {nullptr, parts_.size(), static_cast<std::size_t>(PyTuple_GET_SIZE(columns)), 1};
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(columns); ++i) {
    if (!add_part(PyTuple_GET_ITEM(columns, i), dtype, rows)) return false;
  }
  return true;
}

bool ColumnReader::bind_columns(std::span<const std::int64_t> numbers, DType dtype, Input* input) {
  *input = {nullptr, parts_.size(), numbers.size(), 1};
  for (const std::int64_t number : numbers) {
    if (!add_column(number)) return false;
  }
  if (numbers.size() == 1) lie(dtype, input);
  return true;
}

bool ColumnReader::bind_array(PyObject* array, DType dtype, std::int64_t width, Input* input) {
  *input = {nullptr, parts_.size(), 1, width};
  if (!add_array(array, dtype, PyArray_SIZE(as_array(array)), PyArray_ITEMSIZE(as_array(array)))) return false;
  const Strip& strip = parts_.back().strips[0];
  if (lies_as(strip, dtype)) *input = {strip.values};
  return true;
}

// ---- reading --------------------------------------------------------------------------------------------------------

namespace {

// Reads values [begin, end) of a column.
bool read_part(std::span<const Strip> strips, const Text& missing, DType dtype, std::int64_t begin, std::int64_t end,
               std::byte* to, std::int64_t step) {
  std::int64_t place = 0;  // of the strip in the column
  for (const Strip& whole : strips) {
    Strip strip = whole;
    const std::int64_t from = std::max(begin, place), until = std::min(end, place + whole.count);
    strip.first += from - place;
    strip.count = until - from;
    place += whole.count;
    if (strip.count <= 0) continue;
    const bool fits = dtype == DType::text ? read_texts(strip, missing, reinterpret_cast<Text*>(to), step)
                                           : read_numbers(strip, dtype, to, step);
    if (!fits) return false;
    to += strip.count * step * size_of(dtype);
  }
  return true;
}

}  // namespace

bool ColumnReader::read(const Input& input, DType dtype, std::int64_t first, std::int64_t rows, void* to) const {
  const auto step = static_cast<std::int64_t>(input.parts);
  const std::int64_t begin = first * input.per_row, end = (first + rows) * input.per_row;
  for (std::size_t p = 0; p < input.parts; ++p) {
    const Part& part = parts_[input.first_part + p];
    auto* at = static_cast<std::byte*>(to) + static_cast<std::int64_t>(p) * size_of(dtype);
    try {
      if (!read_part(part.strips, part.missing, dtype, begin, end, at, step)) return false;
    } catch (const Error& error) {
      refuse(part.name, error);
    }
  }
  return true;
}

bool is_columns(PyObject* object) {
  if (!PyTuple_CheckExact(object) || PyTuple_GET_SIZE(object) == 0) return false;
  PyObject* first = PyTuple_GET_ITEM(object, 0);
  return is_column(first) || PyArray_CheckExact(first) || PyList_CheckExact(first) || PyTuple_CheckExact(first);
}

}  // namespace sardonyx::python
