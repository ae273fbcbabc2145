"""Your images: images of your own become a data set."""

from cnn_core.jobs.tasks.import_images import import_of, report_of
from pages.ui.bring import arriving, found, import_form, import_report, own_datasets, reading_form, uploads
from pages.ui.frame import layout, tasks
from pages.ui.frame.errors import errors_shown

layout.title("Your images", "Upload images, one folder per class, check what is in them, and make a data set.")
upload = uploads.on_show()
state = import_of(upload).state() if upload else None

if upload and state and state.busy:
    with layout.card("Importing"):
        tasks.watch(import_of(upload))
elif report := report_of(state) or import_report.asked():
    arriving.another(upload if report_of(state) else None)
    with errors_shown():  # the data set may have been deleted since
        import_report.show(report)
else:
    results, panel = layout.beside()
    with results, layout.card("Your images"):
        upload = arriving.collect(upload)
        if upload:
            reading_form.questions(upload)
    with results:  # what is wrong stands below what arrived, on a phone too
        classes = arriving.look(upload) if upload else None
    if upload and classes:
        with panel, layout.card("Choices"):
            spec = import_form.choices(upload)
        with results:
            import_form.start(upload, classes, spec, state)
            found.preview(upload, classes, spec)
            found.table(classes)
    else:
        with panel, layout.card("What works"):
            arriving.explain()

own_datasets.manage()
