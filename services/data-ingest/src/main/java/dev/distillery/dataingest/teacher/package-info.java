/** The teacher: which files of a diffusers folder, or of a single file seen as one, are needed, and whether they are there. */
package dev.distillery.dataingest.teacher;
