/** {@code distillery evaluate}: a student beside its teacher, in numbers, on folders of this machine. */
package dev.distillery.standalone.evaluation;
