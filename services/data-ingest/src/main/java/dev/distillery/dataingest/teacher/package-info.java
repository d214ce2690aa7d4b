/** The teacher: which files of a diffusers folder are needed, and whether they are there. */
package dev.distillery.dataingest.teacher;
