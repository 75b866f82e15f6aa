#include "python/dtypes.h"

namespace sardonyx::python {

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

}  // namespace sardonyx::python
