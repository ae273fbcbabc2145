"""Your images: images of your own become a data set."""

from cnn_core.jobs.tasks.import_images import import_of, report_of
from pages.ui.bring import arriving, found, import_form, import_report, own_datasets, reading_form, trays
from pages.ui.frame import layout, tasks
from pages.ui.frame.errors import errors_shown

layout.title("Your images", "Upload images, one folder per class, check what is in them, and make a data set.")
tray = trays.on_show()
state = import_of(tray).state() if tray else None

if tray and state and state.busy:
    with layout.card("Importing"):
        tasks.watch(import_of(tray))
elif report := report_of(state) or import_report.asked():
    arriving.another(tray if report_of(state) else None)
    with errors_shown():  # the data set may have been deleted since
        import_report.show(report)
else:
    results, panel = layout.beside()
    with results, layout.card("Your images"):
        tray = arriving.collect(tray)
        if tray:
            reading_form.questions(tray)
    with results:  # what is wrong stands below what was brought, on a phone too
        classes = arriving.look(tray) if tray else None
    if tray and classes:
        with panel, layout.card("Choices"):
            spec = import_form.choices(tray)
        with results:
            import_form.start(tray, classes, spec, state)
            found.preview(tray, classes, spec)
            found.table(classes)
    else:
        with panel, layout.card("What works"):
            arriving.explain()

own_datasets.manage()
