/** What every command shares: the terminal and its progress, failures in words, checks of arguments, forms of output. */
package dev.distillery.standalone.console;
