#include "python/sparse.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>

#include "python/numpy_api.h"
#include "python/ref.h"
#include "python/unending.h"
#include "runtime/error.h"

namespace sardonyx::python {
namespace {

enum : int { kIndptr = 0, kIndices = 1, kData = 2 };

bool is_vector(PyObject* object) {
  return object != nullptr && PyArray_Check(object) && PyArray_NDIM(as_array(object)) == 1 &&
         PyArray_ISCARRAY_RO(as_array(object));
}

bool holds(PyObject* array, int typenum) {
  return PyArray_TYPE(as_array(array)) == typenum || PyArray_EquivTypenums(PyArray_TYPE(as_array(array)), typenum);
}

bool is_csr(PyObject* object) {
  const Ref format(PyObject_GetAttrString(object, "format"));
  if (!format) PyErr_Clear();
  return format && PyUnicode_Check(format.get()) && PyUnicode_CompareWithASCIIString(format.get(), "csr") == 0;
}

}  // namespace

CsrInput::~CsrInput() {
  for (PyObject* array : arrays_) Py_XDECREF(array);
}

CsrInput::CsrInput(CsrInput&& other) noexcept : csr_(other.csr_), rows_(other.rows_) {
  for (int i = 0; i < 3; ++i) arrays_[i] = std::exchange(other.arrays_[i], nullptr);
}

bool CsrInput::keep(int which, PyObject* object, const char* name) {
  arrays_[which] = PyObject_GetAttrString(object, name);
  if (arrays_[which] == nullptr) PyErr_Clear();
  return is_vector(arrays_[which]);
}

bool CsrInput::read_shape(PyObject* object, std::int64_t width) {
  const Ref shape(PyObject_GetAttrString(object, "shape"));
  if (!shape) PyErr_Clear();
  const bool pair = shape && PyTuple_Check(shape.get()) && PyTuple_GET_SIZE(shape.get()) == 2;
  const long long rows = pair ? PyLong_AsLongLong(PyTuple_GET_ITEM(shape.get(), 0)) : -1;
  const long long columns = pair ? PyLong_AsLongLong(PyTuple_GET_ITEM(shape.get(), 1)) : -1;
  if (PyErr_Occurred()) PyErr_Clear();
  rows_ = rows;
  return rows >= 0 && columns == width;
}

bool CsrInput::read(PyObject* object, int typenum, std::int64_t width) {
  if (!is_csr(object) || !read_shape(object, width)) return false;
  if (!keep(kIndptr, object, "indptr") || !keep(kIndices, object, "indices") || !keep(kData, object, "data")) {
    return false;
  }
  if (!holds(arrays_[kData], typenum)) return false;
  csr_.wide = holds(arrays_[kIndptr], NPY_INT64);
  const int index = csr_.wide ? NPY_INT64 : NPY_INT32;
  if (!holds(arrays_[kIndptr], index) || !holds(arrays_[kIndices], index)) return false;
  if (PyArray_SIZE(as_array(arrays_[kIndptr])) != rows_ + 1) {
    throw Error(
        "the sparse matrix is not a legal one: indptr has not one number for each row, and one more; X.check_format() "
        "of "
        "SciPy says where");
  }
  csr_.indptr = PyArray_DATA(as_array(arrays_[kIndptr]));
  csr_.indices = PyArray_DATA(as_array(arrays_[kIndices]));
  csr_.values = PyArray_DATA(as_array(arrays_[kData]));
  csr_.entries = std::min(PyArray_SIZE(as_array(arrays_[kIndices])), PyArray_SIZE(as_array(arrays_[kData])));
  return true;
}

namespace {

PyObject* csr_matrix(const Ref& data, const Ref& indices, const Ref& indptr, std::int64_t rows, std::int64_t width) {
  const Ref scipy(PyImport_ImportModule("scipy.sparse"));
  if (!scipy) return nullptr;
  Unending call;
  Ref matrix(PyObject_CallMethod(scipy.get(), "csr_matrix", "((OOO)(LL))", data.get(), indices.get(), indptr.get(),
                                 static_cast<long long>(rows), static_cast<long long>(width)));
  call.returned();
  if (!matrix || PyObject_SetAttrString(matrix.get(), "has_canonical_format", Py_True) != 0) return nullptr;
  return matrix.release();
}

void free_capsule(PyObject* capsule) { std::free(PyCapsule_GetPointer(capsule, nullptr)); }

// An array over malloc's memory, which it takes over.
Ref array_over(Allocated memory, npy_intp size, int typenum) {
  Ref array(PyArray_SimpleNewFromData(1, &size, typenum, memory.get()));
  PyObject* owner = array ? PyCapsule_New(memory.get(), nullptr, free_capsule) : nullptr;
  if (owner == nullptr) return Ref();
  static_cast<void>(memory.release());
  return PyArray_SetBaseObject(as_array(array.get()), owner) == 0 ? std::move(array) : Ref();
}

// A new array of other integers.
template <class To, class From>
Ref converted(const From* from, npy_intp size, int typenum) {
  Ref array(PyArray_SimpleNew(1, &size, typenum));
  if (!array) return array;
  auto* to = static_cast<To*>(PyArray_DATA(as_array(array.get())));
  for (npy_intp i = 0; i < size; ++i) to[i] = static_cast<To>(from[i]);
  return array;
}

Ref index_array(Allocated indices, npy_intp entries, bool wide) {
  if (!wide) return array_over(std::move(indices), entries, NPY_INT32);
  return converted<std::int64_t>(static_cast<const std::int32_t*>(indices.get()), entries, NPY_INT64);
}

}  // namespace

// As SciPy, int32 as long as it is wide enough.
PyObject* make_csr(SparseResult& result, std::int64_t rows, std::int64_t width, int typenum) {
  const bool wide = result.entries() > std::numeric_limits<std::int32_t>::max();
  const npy_intp entries = result.entries(), offsets = rows + 1;
  const Ref indptr = wide ? converted<std::int64_t>(result.indptr(), offsets, NPY_INT64)
                          : converted<std::int32_t>(result.indptr(), offsets, NPY_INT32);
  const Ref indices = index_array(result.take_indices(), entries, wide);
  const Ref data = array_over(result.take_values(), entries, typenum);
  if (!indptr || !indices || !data) return nullptr;
  return csr_matrix(data, indices, indptr, rows, width);
}

}  // namespace sardonyx::python
