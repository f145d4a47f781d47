// Prints one kernel into the text of a program. Internal to ir/loops.
#pragma once

#include "ir/loops/print.h"

namespace dlcc::loops {

/// Lines of text with their indentation.
class TextWriter {
public:
  void line(const std::string& text);
  void open(const std::string& text) { line(text + " {"), ++depth_; }
  void close() { --depth_, line("}"); }
  void blank() { text_ += '\n'; }
  std::string take() { return std::move(text_); }

private:
  std::string text_;
  int depth_ = 0;
};

void print_kernel(const Kernel& kernel, const std::string& name, TextWriter& out);

} // namespace dlcc::loops
