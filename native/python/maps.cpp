#include "python/maps.h"

#include "python/ref.h"

namespace sardonyx::python {

const char* const kRowMapsDoc =
    "row_maps(array, keys, /)\n--\n\n"
    "Return a list of one dict for each row of an array of two dimensions: from `keys`, a tuple, to the row's "
    "elements.";

namespace {

PyObject* element(PyArrayObject* array, npy_intp row, npy_intp column) {
  const void* at = PyArray_GETPTR2(array, row, column);
  if (PyArray_ISALIGNED(array) && PyArray_ISNOTSWAPPED(array)) {  // scores are floats: the way through NumPy is longer
    if (PyArray_TYPE(array) == NPY_FLOAT) return PyFloat_FromDouble(*static_cast<const float*>(at));
    if (PyArray_TYPE(array) == NPY_DOUBLE) return PyFloat_FromDouble(*static_cast<const double*>(at));
  }
  return PyArray_GETITEM(array, static_cast<const char*>(at));
}

bool fill(PyObject* map, PyArrayObject* array, npy_intp row, PyObject* keys) {
  for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(keys); ++k) {
    const Ref value(element(array, row, k));
    if (!value || PyDict_SetItem(map, PyTuple_GET_ITEM(keys, k), value.get()) < 0) return false;
  }
  return true;
}

}  // namespace

PyObject* map_with(PyObject* keys) {
  Ref map(PyDict_New());
  for (Py_ssize_t k = 0; map && k < PyTuple_GET_SIZE(keys); ++k) {
    if (PyDict_SetItem(map.get(), PyTuple_GET_ITEM(keys, k), Py_None) < 0) return nullptr;
  }
  return map.release();
}

PyObject* maps_of_rows(PyObject* object, PyObject* keys, PyObject* empty) {
  PyArrayObject* array = as_array(object);
  const npy_intp rows = PyArray_DIM(array, 0);
  Ref maps(PyList_New(rows));
  for (npy_intp row = 0; maps && row < rows; ++row) {
    PyObject* map = PyDict_Copy(empty);
    if (map == nullptr) return nullptr;
    PyList_SET_ITEM(maps.get(), row, map);
    if (!fill(map, array, row, keys)) return nullptr;
  }
  return maps.release();
}

PyObject* row_maps(PyObject*, PyObject* arguments) {
  PyObject *array = nullptr, *keys = nullptr;
  if (!PyArg_ParseTuple(arguments, "O!O!", &PyArray_Type, &array, &PyTuple_Type, &keys)) return nullptr;
  PyArrayObject* given = as_array(array);
  if (PyArray_NDIM(given) != 2 || PyArray_DIM(given, 1) != PyTuple_GET_SIZE(keys)) {
    PyErr_SetString(PyExc_ValueError, "row_maps needs an array of two dimensions, and a key for each column");
    return nullptr;
  }
  const Ref empty(map_with(keys));
  return empty ? maps_of_rows(array, keys, empty.get()) : nullptr;
}

}  // namespace sardonyx::python
