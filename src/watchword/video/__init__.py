"""See: files, folders of pictures and URLs become batches of frames with exact times."""
