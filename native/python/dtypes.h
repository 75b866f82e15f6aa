// The types of numbers that programs and NumPy both know.
#pragma once

#include "python/numpy_api.h"
#include "sardonyx/tensor.h"

namespace sardonyx::python {

struct DTypeInfo {
  const char* name;
  int typenum;
};

// Indexed by DType. Text leaves as an object array of str. NumPy does not know bfloat16 by itself: see typenum_of.
inline constexpr DTypeInfo kDTypes[] = {
    {"", NPY_NOTYPE},       {"float32", NPY_FLOAT32}, {"float64", NPY_FLOAT64}, {"int8", NPY_INT8},
    {"int16", NPY_INT16},   {"int32", NPY_INT32},     {"int64", NPY_INT64},     {"uint8", NPY_UINT8},
    {"uint16", NPY_UINT16}, {"uint32", NPY_UINT32},   {"uint64", NPY_UINT64},   {"bool", NPY_BOOL},
    {"str", NPY_OBJECT},    {"float16", NPY_HALF},    {"bfloat16", NPY_NOTYPE},
};

inline const DTypeInfo& info(DType dtype) { return kDTypes[static_cast<int>(dtype)]; }

// The dtype of an array's numbers, if programs know it. False: it has none, or a foreign byte order.
bool dtype_of_array(PyObject* array, DType* dtype);

}  // namespace sardonyx::python
