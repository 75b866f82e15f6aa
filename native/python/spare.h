// The lists of arrays that short calls have returned, kept to be returned again once nobody else holds them: making an
// array takes as long as a small model.
//
//   run 1   list A ─▶ a0, a1     held by the caller and here
//   run 2   list B ─▶ b0, b1     who says r = run(...) lets go of A only now
//   run 3   list A again, with the arrays that only it holds; others are made anew
//
// What only the list holds, nobody can see change: views, buffers and everything else that reads an array hold it.
#pragma once

#include "python/numpy_api.h"
// NumPy first: it includes Python.h, which must precede the standard headers.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace sardonyx::python {

class Spare {
 public:
  static constexpr std::int64_t kMostBytes = 16384;  // of all arrays: larger ones are not worth their memory

  Spare() = default;
  ~Spare() {
    for (PyObject* list : lists_) Py_XDECREF(list);
  }
  Spare(const Spare&) = delete;
  Spare& operator=(const Spare&) = delete;

  // An owned list of `count` items: arrays of an earlier call, or null; or null and a Python error.
  PyObject* take(Py_ssize_t count) {
    for (PyObject*& list : lists_) {
      if (list != nullptr && is_free(list, count)) return std::exchange(list, nullptr);
    }
    return PyList_New(count);
  }

  void keep(PyObject* list) {
    PyObject** place = std::find(std::begin(lists_), std::end(lists_), nullptr);
    if (place == std::end(lists_)) place = &lists_[next_ = 1 - next_];
    PyObject* before = std::exchange(*place, Py_NewRef(list));
    Py_XDECREF(before);
  }

  // Whether the item of a list is an array of this kind that nobody else has.
  static bool fits(PyObject* item, int ndim, const npy_intp* dims, int typenum) {
    if (item == nullptr || Py_REFCNT(item) != 1 || !PyArray_CheckExact(item)) return false;
    PyArrayObject* array = as_array(item);
    return PyArray_NDIM(array) == ndim && std::equal(dims, dims + ndim, PyArray_DIMS(array)) &&
           PyArray_TYPE(array) == typenum && PyArray_ISCARRAY(array) && PyArray_CHKFLAGS(array, NPY_ARRAY_OWNDATA) &&
           PyArray_BASE(array) == nullptr && reinterpret_cast<PyArrayObject_fields*>(item)->weakreflist == nullptr;
  }

 private:
  static bool is_free(PyObject* list, Py_ssize_t count) {
    return Py_REFCNT(list) == 1 && PyList_GET_SIZE(list) == count &&
           (count == 0 || (PyList_GET_ITEM(list, 0) != nullptr && Py_REFCNT(PyList_GET_ITEM(list, 0)) == 1));
  }

  PyObject* lists_[2] = {nullptr, nullptr};
  int next_ = 0;
};

}  // namespace sardonyx::python
