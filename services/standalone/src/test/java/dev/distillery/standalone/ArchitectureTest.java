package dev.distillery.standalone;

import java.util.List;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.CompositeArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

/** Who may know whom. Here, because only the standalone has every module in its class path. */
@AnalyzeClasses(packages = "dev.distillery", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final List<String> SERVICES =
            List.of("dataingest", "latentencoding", "trainer", "converter", "evaluator");

    @ArchTest
    static final ArchRule MODELS_KNOW_NO_PLATFORM = noClasses()
            .that()
            .resideInAPackage("dev.distillery.diffusion..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.quarkus..",
                    "io.smallrye..",
                    "jakarta..",
                    "org.apache.kafka..",
                    "io.minio..",
                    "dev.distillery.events..",
                    "dev.distillery.artifacts..")
            .because("the models can be read, tested and used without Kafka, S3 and Quarkus");

    @ArchTest
    static final ArchRule THE_HUB_IS_SPOKEN_TO_BY_HTTP_ALONE = noClasses()
            .that()
            .resideInAPackage("dev.distillery.hub..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.quarkus..", "io.smallrye..", "jakarta..", "org.apache.kafka..", "io.minio..", "ai.djl..")
            .because("what is read from a Hub and written to it is the caller's");

    @ArchTest
    static final ArchRule SERVICES_MEET_IN_EVENTS_AND_STORE_ONLY = CompositeArchRule.of(SERVICES.stream()
                    .<ArchRule>map(service -> noClasses()
                            .that()
                            .resideInAPackage("dev.distillery." + service + "..")
                            .should()
                            .dependOnClassesThat()
                            .resideInAnyPackage(SERVICES.stream()
                                    .filter(other -> !other.equals(service))
                                    .map(other -> "dev.distillery." + other + "..")
                                    .toArray(String[]::new)))
                    .toList())
            .because("each is deployed alone");

    @ArchTest
    static final ArchRule NOBODY_KNOWS_THE_STANDALONE = noClasses()
            .that()
            .resideOutsideOfPackage("dev.distillery.standalone..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.distillery.standalone..");

    @ArchTest
    static final ArchRule ONE_SEAM_TO_PYTORCH = noClasses()
            .that()
            .resideOutsideOfPackage("dev.distillery.diffusion.tensor..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("ai.djl.pytorch..")
            .because("native handles and engine tricks have one home");

    @ArchTest
    static final ArchRule EVERY_METER_IS_IN_THE_TABLE = noClasses()
            .that()
            .resideOutsideOfPackage("dev.distillery.monitoring..")
            .should()
            .dependOnClassesThat()
            .haveNameMatching("io\\.micrometer\\..*\\$Builder")
            .because("what a service measures stands in deploy/monitoring");

    @ArchTest
    static final ArchRule NO_CYCLES_BETWEEN_PACKAGES =
            slices().matching("dev.distillery.(**)").should().beFreeOfCycles();
}
