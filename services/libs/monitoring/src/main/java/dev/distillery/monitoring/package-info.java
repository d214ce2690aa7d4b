/** What every service shows of itself to those who operate it: meters by one table, and health. */
package dev.distillery.monitoring;
