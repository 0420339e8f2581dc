/* belfry - the command line. Everything is in run.c, so that tests can link it. */

#include "cli/words/cli.h"

int main(int argc, char **argv)
{
    return (int)cli_main(cli_commands, argc, argv);
}
