/** The open web: files of data sets, and pictures whose addresses stand in a list that a stranger wrote. */
package dev.distillery.dataingest.source.web;
