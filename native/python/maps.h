// What ZipMap gives: a dict a row.
#pragma once

#include "python/numpy_api.h"

namespace sardonyx::python {

extern const char* const kRowMapsDoc;

// row_maps(array, keys)
PyObject* row_maps(PyObject* module, PyObject* arguments);

// A dict with these keys (a tuple): copying it is cheaper than inserting them into an empty one, which grows and grows.
PyObject* map_with(PyObject* keys);

// A list of one dict for each row of an array of two dimensions and as many columns as keys; `empty` is map_with(keys).
PyObject* maps_of_rows(PyObject* array, PyObject* keys, PyObject* empty);

}  // namespace sardonyx::python
