// An owned reference to a Python object, and an error of Python's set aside for a while.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <utility>

namespace sardonyx::python {

class Ref {
 public:
  explicit Ref(PyObject* object = nullptr) : object_(object) {}
  ~Ref() { Py_XDECREF(object_); }
  Ref(Ref&& other) noexcept : object_(other.release()) {}
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;
  PyObject* get() const { return object_; }
  PyObject* release() { return std::exchange(object_, nullptr); }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  PyObject* object_;
};

class SetAside {
 public:
  SetAside() { PyErr_Fetch(&kind_, &error_, &trace_); }
  ~SetAside() { PyErr_Restore(kind_, error_, trace_); }
  SetAside(const SetAside&) = delete;
  SetAside& operator=(const SetAside&) = delete;

 private:
  PyObject *kind_ = nullptr, *error_ = nullptr, *trace_ = nullptr;
};

}  // namespace sardonyx::python
