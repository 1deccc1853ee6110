// The program `tidemark`.
#include "cli/command_line.h"

int main(int argc, char** argv) { return tidemark::cli::run_command_line(argc, argv); }
